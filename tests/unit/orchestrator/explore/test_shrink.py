"""The smallest cell that surprises, of planted surprises."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from orchestrator.explore.generate import fresh, ours
from orchestrator.explore.shrink import candidates, shrink
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
    small = shrink(surprising(planted), planted).cell
    client = small.clients["client"]
    assert planted(small)
    assert (len(small.faults), client.clients, client.outstanding, client.calls) == (faults, clients, outstanding, 2)
    assert (small.seed, small.servers["server"].yields, client.gates) == (1, 0, {})
    assert list(problems(small)) == []


def test_no_step_leads_back() -> None:
    cell = surprising(kills)
    assert cell not in list(candidates(cell))


def test_it_ends_when_its_runs_are_spent() -> None:
    asked = []

    def planted(cell: Cell) -> bool:
        asked.append(cell)
        return kills(cell)

    assert shrink(surprising(kills), planted, most=5).runs == len(asked) == 5
