"""Stream faults at the edges of their numbers: the least that each takes, and one less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos.faults.streams import Bandwidth, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout, Toxic

LINK = "client -> server"
LEAST: list[tuple[Toxic, str, int]] = [
    (Latency(link=LINK, latency=20), "latency", 1),
    (Latency(link=LINK, latency=20), "jitter", 0),
    (Bandwidth(link=LINK, bandwidth=9), "bandwidth", 1),
    (SlowClose(link=LINK, slow_close=9), "slow_close", 1),
    (Timeout(link=LINK, timeout=9), "timeout", 0),
    (ResetPeer(link=LINK, reset_peer=9), "reset_peer", 0),
    (Slicer(link=LINK, slicer=9, gap=5), "slicer", 1),
    (Slicer(link=LINK, slicer=9, gap=5), "variation", 0),
    (Slicer(link=LINK, slicer=9, gap=5), "gap", 1),
    (LimitData(link=LINK, limit_data=9), "limit_data", 0),
]


def told(fault: Toxic, **changes: Any) -> list[tuple[str, str]]:
    """(key, message)"""
    return [(str(problem.path[-1]), problem.message) for problem in replace(fault, **changes).problems()]


@pytest.mark.parametrize(("fault", "key", "least"), LEAST)
def test_a_number_may_be_as_small_as_its_least_and_no_smaller(fault: Toxic, key: str, least: int) -> None:
    assert told(fault, **{key: least}) == []
    assert (key, f"expected at least {least}") in told(fault, **{key: least - 1})


def test_slices_vary_by_less_than_their_size() -> None:
    slicer = Slicer(link=LINK, slicer=9, gap=5)
    assert told(slicer, variation=8) == []
    assert told(slicer, variation=9) == [("variation", "expected less than the 9 bytes of a slice")]


@pytest.mark.parametrize(
    ("share", "possible"),
    [(0, False), (1e-9, True), (1.0, True), (1.0000001, False), (-0.5, False), (float("nan"), False)],
)
def test_a_share_of_the_connections(share: float, possible: bool) -> None:
    assert (told(Latency(link=LINK, latency=20, toxicity=share)) == []) is possible
