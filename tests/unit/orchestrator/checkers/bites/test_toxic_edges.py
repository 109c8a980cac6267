"""Stream faults at the edges of their numbers: whom a toxic names, and when a slicer has bitten."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run, cell
from stories import LINK

from chaos.faults.streams import Bandwidth, Latency, Slicer, Toxic
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.bites.windows import SMALLEST
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

FIRST = (CLIENT, 1)
MICROSECONDS = 1_000
"""In a millisecond."""


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


def test_a_bandwidth_bites_from_half_of_the_time_that_the_smallest_message_takes() -> None:
    two_bytes_a_millisecond = Bandwidth(link=LINK, bandwidth=2)
    half = SMALLEST / 2 / 2
    assert bites(two_bytes_a_millisecond, half).bitten == {FIRST}
    assert bites(two_bytes_a_millisecond, half - 1).bitten == frozenset()
