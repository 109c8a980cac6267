"""A seed draws what it drew: in the same order, as likely; and it shrinks as it did."""

from __future__ import annotations

import pytest
from drawn import NAMES, STORED, told

KEPT = dict(line.split() for line in STORED.read_text().splitlines())


def test_all_is_stored() -> None:
    assert list(KEPT) == NAMES, "if that is meant: make stored"


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_draws_what_it_drew(name: str) -> None:
    assert told(name) == KEPT[name], "if that is meant: make stored"
