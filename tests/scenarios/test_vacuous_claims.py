"""No claim holds vacuously: whatever level a shipped cell's run is judged by, and under whatever models, it is met only
where the tables of docs/semantics.md say that it was tried."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import NamedTuple, get_args

import pytest
import suite
from documented import needed
from requirements import ALL
from suite import Ran

from chaos.faults.models import Model
from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import Judgement
from orchestrator.explore.theory import brought
from orchestrator.scenario.cell import LEVELS, Cell, Delivery, Level
from orchestrator.scenario.shipped import plans

SAMPLE = 60 if ALL else 20
"""Cells; each is run once, and judged by every level under every model added to its own."""
SHIPPED = ["rpc", "faults"]


class Claim(NamedTuple):
    level: Level
    under: tuple[Model, ...]


def claims(cell: Cell) -> Iterator[Claim]:
    """Each level, under the cell's own models and under one more."""
    own = cell.expect.delivery.under if cell.expect.delivery else ()
    for level, extra in product(get_args(Level), get_args(Model)):
        yield Claim(level, tuple(dict.fromkeys([*own, extra])))


def met(ran: Ran, claim: Claim) -> Judgement | None:
    cell = ran.result.cell
    expect = cell.expect.model_copy(update={"delivery": Delivery(holds=claim.level, under=claim.under)})
    judgement = judge(cell.model_copy(update={"expect": expect}), ran.history)
    found = next(found for found in judgement.expectations if found.name == "delivery")
    return judgement if found.verdict == "met" else None


@pytest.mark.timeout(600)
def test_what_is_met_was_tried() -> None:
    cells = [cell for cell in suite.applicable(plans(SHIPPED)) if cell.expect.delivery]
    claimed = 0
    for ran in suite.run(Random(7).sample(cells, SAMPLE), "sim"):
        for claim in claims(ran.result.cell):
            judgement = met(ran, claim)
            if judgement is None:
                continue
            claimed += 1
            name = f"{suite.name(ran.result.cell)}: {claim}"
            assert set(claim.under) <= {*brought(ran.result.cell), "history-trim"}, name
            tried = [part for part in LEVELS[claim.level] if part != "valid"]
            for key in product(tried, claim.under):
                assert needed()[key] & judgement.opportunities.keys(), f"{name}: {key}"
    assert claimed > SAMPLE // 2
