"""PURE: how far each fault came: applied, effective, consequential (docs/semantics.md)."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.verdict import FaultSteps
from orchestrator.history.merged import Operation
from orchestrator.scenario.cell import Cell


def steps(cell: Cell, bite: Bite, offered: Mapping[str, frozenset[Operation]]) -> tuple[FaultSteps, ...]:
    """One for each fault, in the scenario's order. `offered` are the opportunities, by name."""
    made: frozenset[Operation] = frozenset().union(*offered.values())
    return tuple(
        FaultSteps(
            fault=cell.faults[rule.rule].title,
            named=len(rule.named),
            applied=len(rule.applied),
            effective=len(rule.bitten),
            consequential=len(rule.bitten & made),
        )
        for rule in bite.rules
    )
