"""PURE: what was sent was received (reliable delivery: Cachin, Guerraoui and Rodrigues, "Reliable and Secure
Distributed Programming", module 2.3)."""

from __future__ import annotations

from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.messages import exchanges
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace

name = "delivered"
needs = frozenset({View.JOURNALS, View.MESSAGES})


def check(setting: Views) -> Finding:
    sent, violations = 0, []
    for _, trace in exchanges(setting):
        sent += len(trace.sends) + _due(trace)
        if reason := _lost(trace):
            violations.append(Violation(trace.operation, reason))
    return Finding(name, tuple(violations), {"sent": sent})


def _lost(trace: Trace) -> str:
    if not trace.receives:
        return "it was sent, and never received"
    lost = _due(trace) - len(trace.replies)
    return f"{lost} of {_due(trace)} echoes of it were never received" if lost > 0 else ""


def _due(trace: Trace) -> int:
    """How many echoes: one of each copy that its server received. What it echoed more often is *unrepeated*'s."""
    return min(len(trace.receives), len(trace.answers))
