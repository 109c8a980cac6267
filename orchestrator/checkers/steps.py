"""PURE: how far each fault came: applied, effective, consequential (docs/semantics.md)."""

from __future__ import annotations

from chaos.decide import directions
from chaos.faults import Cut, Fault, Kill, Pause
from orchestrator.checkers.bite import Bite
from orchestrator.checkers.verdict import FaultSteps
from orchestrator.history import Operation
from orchestrator.scenario import Cell


def steps(cell: Cell, bite: Bite, offered: dict[str, frozenset[Operation]]) -> tuple[FaultSteps, ...]:
    """One for each fault, in the scenario's order. `offered` are the opportunities, by name."""
    made: frozenset[Operation] = frozenset().union(*offered.values())
    return tuple(
        FaultSteps(
            fault=title(cell.faults[rule.rule]),
            named=len(rule.named),
            applied=len(rule.applied),
            effective=len(rule.bitten),
            consequential=len(rule.bitten & made),
        )
        for rule in bite.rules
    )


def title(fault: Fault) -> str:
    """A fault in few words: "drop request", "cut after reply", "partition both", "kill at before-commit"."""
    kind = type(fault).__name__.lower()
    if isinstance(fault, (Kill, Pause)):
        return f"{kind} at {fault.at}" if fault.at else kind
    place = f" {fault.cut}" if isinstance(fault, Cut) else ""
    which = directions(fault)
    return f"{kind}{place} {which[0] if len(which) == 1 else 'both'}"
