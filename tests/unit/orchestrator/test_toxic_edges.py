"""Stream faults at the edges of their numbers: what may be asked for, whom a toxic names, when a slicer has bitten."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from history_builder import CLIENT, Run, cell
from stories import LINK

from chaos.faults.streams import Bandwidth, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout, Toxic
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.bites.windows import SMALLEST
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index
from orchestrator.scenario.coherence.streams import problems

FIRST = (CLIENT, 1)
MICROSECONDS = 1_000
"""In a millisecond."""
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


# What a scenario may ask for


def told(fault: Toxic, **changes: Any) -> list[tuple[str, str]]:
    """(key, message)"""
    return [(str(problem.path[-1]), problem.message) for problem in problems(replace(fault, **changes), ("faults", 0))]


@pytest.mark.parametrize(("fault", "key", "least"), LEAST)
def test_a_number_may_be_as_small_as_its_least_and_no_smaller(fault: Toxic, key: str, least: int) -> None:
    assert told(fault, **{key: least}) == []
    assert (key, f"expected at least {least}") in told(fault, **{key: least - 1})


def test_slices_vary_by_less_than_their_size() -> None:
    slicer = Slicer(link=LINK, slicer=9, gap=5)
    assert told(slicer, variation=8) == []
    assert told(slicer, variation=9) == [("variation", "expected less than the 9 bytes of a slice")]


@pytest.mark.parametrize(("share", "possible"), [(0, False), (1e-9, True), (1.0, True), (1.0000001, False)])
def test_a_share_of_the_connections(share: float, possible: bool) -> None:
    assert (told(Latency(link=LINK, latency=20, toxicity=share)) == []) is possible


# Whom it names, and when it has bitten


def bites(fault: Toxic, waited: float) -> Bite:
    """What it bit of a call whose reply took so many milliseconds, and one that it left alone."""
    run = Run().rule(True).invoke(1).send(1).run(1).wait(waited).reply(1, 1, 1).ok(1, 1).call(2).rule(False)
    return bite(Setting(cell(faults=(fault,), via="toxiproxy"), Index(run.healed(9).history())))


@pytest.mark.parametrize(("share", "missed"), [(1.0, {(CLIENT, 2)}), (0.999, set())])
def test_a_toxic_of_all_connections_names_all_that_were_open(share: float, missed: set[tuple[int, int]]) -> None:
    found = bites(Latency(link=LINK, latency=100, toxicity=share), 60)
    assert (found.bitten, found.missed) == ({FIRST}, missed)


@pytest.mark.parametrize(
    ("size", "variation", "gaps"),
    [
        (SMALLEST - 1, 0, 1),
        (SMALLEST // 2, 0, 1),
        (SMALLEST // 2 - 1, 0, 2),
        (SMALLEST // 2 - 1, 1, 1),
        (1, 0, SMALLEST - 1),
    ],
)
def test_a_slicer_bites_from_half_of_the_gaps_in_the_smallest_message(size: int, variation: int, gaps: int) -> None:
    slicer = Slicer(link=LINK, slicer=size, variation=variation, gap=10 * MICROSECONDS)
    half = gaps * 10 / 2
    assert bites(slicer, half).bitten == {FIRST}
    assert bites(slicer, half - 1).bitten == frozenset()


@pytest.mark.parametrize(("size", "variation"), [(SMALLEST, 0), (SMALLEST - 1, 1), (SMALLEST + 1, 0)])
def test_a_slicer_of_whole_messages_bites_nothing(size: int, variation: int) -> None:
    assert bites(Slicer(link=LINK, slicer=size, variation=variation, gap=1), 500).bitten == frozenset()
