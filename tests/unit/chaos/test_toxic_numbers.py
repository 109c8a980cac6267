"""What Toxiproxy can do with a toxic's numbers, at the edges: the least that it takes, and one less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos.faults.streams import Bandwidth, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout, Toxic
from chaos.planes.toxiproxy.toxics import problems

LINK = "client -> server"
LEAST: list[tuple[Toxic, str, int]] = [
    (Latency(link=LINK, latency=20), "latency", 0),
    (Latency(link=LINK, latency=20), "jitter", 0),
    (Bandwidth(link=LINK, bandwidth=9), "bandwidth", 1),
    (SlowClose(link=LINK, slow_close=9), "slow_close", 0),
    (Timeout(link=LINK, timeout=9), "timeout", 0),
    (ResetPeer(link=LINK, reset_peer=9), "reset_peer", 0),
    (Slicer(link=LINK, slicer=9), "slicer", 1),
    (Slicer(link=LINK, slicer=9), "variation", 0),
    (Slicer(link=LINK, slicer=9), "gap", 0),
    (LimitData(link=LINK, limit_data=9), "limit_data", 0),
]


def told(fault: Toxic, **changes: Any) -> list[str]:
    return list(problems(replace(fault, **changes)))


@pytest.mark.parametrize(("fault", "field", "least"), LEAST)
def test_a_number_may_be_as_small_as_its_least_and_no_smaller(fault: Toxic, field: str, least: int) -> None:
    assert told(fault, **{field: least}) == []
    assert f"{field} is {least - 1}, expected at least {least}" in told(fault, **{field: least - 1})


def test_slices_vary_by_less_than_their_size() -> None:
    slicer = Slicer(link=LINK, slicer=9)
    assert told(slicer, variation=8) == []
    assert told(slicer, variation=9) == ["variation is 9, expected less than the 9 bytes of a slice"]


@pytest.mark.parametrize("share", [1e-9, 0.5, 1, 1.0])
def test_a_share_of_the_connections_may_be_all_of_them(share: float) -> None:
    assert told(Latency(link=LINK, latency=20, toxicity=share)) == []


@pytest.mark.parametrize("share", [-0.5, 0, 1.0000001, 2, float("nan")])
def test_a_share_of_the_connections_is_never_none_nor_more_than_all(share: float) -> None:
    text = f"toxicity is {share}, expected more than 0 and at most 1"
    assert told(Latency(link=LINK, latency=20, toxicity=share)) == [text]
