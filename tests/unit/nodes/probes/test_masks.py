"""Bits by their names."""

from __future__ import annotations

import select

from hypothesis import given
from hypothesis import strategies as st

from nodes.probes.common import masks
from nodes.probes.common.masks import names


def test_they_are_those_of_poll() -> None:
    for name in ("IN", "PRI", "OUT", "ERR", "HUP", "NVAL"):
        assert getattr(masks, name) == getattr(select, f"POLL{name}")


def test_in_one_order() -> None:
    assert names(0x2019) == ["IN", "ERR", "HUP", "RDHUP"]
    assert names(0) == []


@given(st.integers(0, 0xFFFF))
def test_nothing_is_swallowed(mask: int) -> None:
    told = names(mask)
    known = {name: getattr(masks, name) for name in ("IN", "PRI", "OUT", "ERR", "HUP", "NVAL", "RDHUP")}
    assert sum(known[name] if name in known else int(name, 16) for name in told) == mask
