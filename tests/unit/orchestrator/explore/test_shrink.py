"""The smallest cell that surprises, of planted surprises."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from orchestrator.explore.generate import fresh, ours
from orchestrator.explore.shrink import Shrinking
from orchestrator.explore.smaller import candidates
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.coherence import problems

Planted = Callable[[Cell], bool]


def kills(cell: Cell) -> bool:
    return any(fault.verb == "kill" for fault in cell.faults)


def two_drops(cell: Cell) -> bool:
    return sum(fault.verb == "drop" for fault in cell.faults) > 1


def beside_one_another(cell: Cell) -> bool:
    return cell.clients["client"].outstanding > 1 and cell.clients["client"].clients > 1


def surprising(planted: Planted) -> Cell:
    """The first that is drawn, with three faults and calls to spare."""
    drawn = (fresh(ours(), Random(f"planted/{number}")).cell for number in range(10_000))
    return next(cell for cell in drawn if planted(cell) and len(cell.faults) == 3 and cell.clients["client"].calls > 4)


@pytest.mark.parametrize(
    ("planted", "faults", "clients", "outstanding"),
    [(kills, 1, 1, 1), (two_drops, 2, 1, 1), (beside_one_another, 1, 2, 2)],
)
def test_what_the_surprise_does_not_need_is_taken_away(
    planted: Planted, faults: int, clients: int, outstanding: int
) -> None:
    small, _, whole = Shrinking(planted, Random(1)).of(surprising(planted))
    assert whole
    client = small.clients["client"]
    assert planted(small)
    assert (len(small.faults), client.clients, client.outstanding, client.calls) == (faults, clients, outstanding, 2)
    assert (small.seed, small.servers["server"].yields, client.gates) == (1, 0, {})
    assert list(problems(small)) == []


def test_no_step_leads_back() -> None:
    for cell in (surprising(kills), Shrinking(kills, Random(1)).of(surprising(kills)).cell):
        assert cell not in list(candidates(cell))


def test_it_ends_when_its_runs_are_spent() -> None:
    asked = []

    def planted(cell: Cell) -> bool:
        asked.append(cell)
        return kills(cell)

    _, runs, whole = Shrinking(planted, Random(1), most=5).of(surprising(kills))
    assert (runs, whole) == (len(asked), False) == (5, False)


def test_it_ends_with_what_was_reached_when_it_is_told_to() -> None:
    asked = list[Cell]()

    def planted(cell: Cell) -> bool:
        asked.append(cell)
        return kills(cell)

    begun = surprising(kills)
    reached, runs, whole = Shrinking(planted, Random(1), over=lambda: len(asked) >= 4).of(begun)
    assert (runs, whole) == (4, False)
    assert kills(reached)
    assert reached != begun
    assert Shrinking(planted, Random(1), over=lambda: True).of(begun) == (begun, 0, False)


def test_no_cell_is_tried_twice() -> None:
    asked = list[str]()

    def planted(cell: Cell) -> bool:
        asked.append(repr(cell))
        return kills(cell)

    assert Shrinking(planted, Random(1)).of(surprising(kills)).runs == len(asked) == len({*asked})


def crowded(cell: Cell) -> bool:
    """Nothing between is."""
    client = cell.clients["client"]
    return kills(cell) and client.clients * client.calls in (4, *range(8, 19))


def test_what_no_step_makes_smaller_is_tried_on_the_smallest_systems() -> None:
    small, _, whole = Shrinking(crowded, Random(1)).of(surprising(crowded))
    client = small.clients["client"]
    assert (whole, client.clients * client.calls, len(small.faults)) == (True, 4, 1)
    assert list(problems(small)) == []
