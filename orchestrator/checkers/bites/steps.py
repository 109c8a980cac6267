"""PURE: how far each fault came: applied, effective, consequential (docs/semantics.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from chaos.decide import directions
from chaos.faults.messages import Cut
from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Split
from chaos.faults.processes import Kill, Pause
from chaos.faults.streams import Down, Toxic
from chaos.faults.vocabulary import Fault
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.verdict import FaultSteps
from orchestrator.history.merged import Operation
from orchestrator.scenario.cell import Cell


def steps(cell: Cell, bite: Bite, offered: Mapping[str, frozenset[Operation]]) -> tuple[FaultSteps, ...]:
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
    """A fault in few words: "drop request", "cut after reply", "latency downstream", "kill at before-commit"."""
    kind = verb(fault)
    match fault:
        case Kill() | Pause():
            return f"{kind} at {fault.at}" if fault.at else kind
        case Toxic():
            return f"{kind} {fault.stream}"
        case Split():
            return f"{kind} {fault.split}"
        case Reject():
            return f"{kind} {fault.reject}"
        case Down() | Blackhole():
            return kind
        case Loss():
            return f"{kind} {fault.loss}"
        case Netem():
            return f"{kind} {fault.of}"
        case Cut():
            return f"{kind} {fault.cut} {fault.of}"
        case _:
            which = directions(fault)
            return f"{kind} {which[0] if len(which) == 1 else 'both'}"


def verb(fault: Fault) -> str:
    """Its key in a scenario: "drop", "reset_peer"."""
    return re.sub("(?<!^)(?=[A-Z])", "_", type(fault).__name__).lower()
