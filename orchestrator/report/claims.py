"""PURE: what the runs together say of each mechanism, and as a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

from orchestrator.checkers.summary import NOMINAL, Claim, Standing, claims, not_exercised
from orchestrator.report.lines import violates
from orchestrator.report.result import CellResult, Exit
from orchestrator.report.table import Table
from orchestrator.scenario.cell import Cell, Semantics


def claims_of(results: Sequence[CellResult]) -> tuple[Claim, ...]:
    """Mechanism by mechanism, in the order in which the semantics are always told."""
    found = claims((result.cell, result.judgement) for result in results if result.judgement is not None)
    places = {name: place for place, name in enumerate(get_args(Semantics))}
    return tuple(sorted(found, key=lambda claim: places[re.split("[ ,]", claim.mechanism)[0]]))


def declared(results: Sequence[CellResult]) -> frozenset[str]:
    """The cells that are as expected and expect less than their mechanism is built for, named as claims name them."""
    return frozenset(
        f"{result.cell.scenario}[{result.cell.cell}]"
        for result in results
        if result.exit_code is Exit.MET and (violates(result) or _expects_less(result.cell))
    )


def _expects_less(cell: Cell) -> bool:
    delivery = cell.expect.delivery
    if delivery is None or delivery.holds is None or cell.system is not None:
        return False
    return delivery.holds != NOMINAL[cell.links[0].semantics]


def undeclared(claimed: Sequence[Claim]) -> tuple[str, ...]:
    """What a claim needs that no cell offered; a refuted claim needs nothing more."""
    return not_exercised(claim for claim in claimed if claim.standing is Standing.NOT_EXERCISED)


def claims_table(claimed: Sequence[Claim], expected: frozenset[str]) -> Table:
    """[] without any claim. `expected`: the cells whose violation is no surprise."""
    if not claimed:
        return []
    heading = ["mechanism", "level", "under", "verdict", "opportunities survived"]
    return [heading, *([c.mechanism, c.level, c.model, _verdict(c, expected), _opportunities(c)] for c in claimed)]


def _verdict(claim: Claim, expected: frozenset[str]) -> str:
    if claim.standing is Standing.REFUTED:
        return "refuted, as expected" if expected.issuperset(claim.refuted) else "REFUTED"
    bound = f" (violations below {claim.bound:.2g}, 95 %)" if claim.bound is not None else ""
    return ("not refuted" if claim.standing is Standing.CLAIMED else "not exercised") + bound


def _opportunities(claim: Claim) -> str:
    told = ", ".join(f"{count} {name}" for name, count in claim.opportunities.items())
    if claim.standing is Standing.REFUTED:
        more = f" and {len(claim.refuted) - 1} more" if len(claim.refuted) > 1 else ""
        return f"by {claim.refuted[0]}{more}"
    return told or f"{claim.bitten} bitten"
