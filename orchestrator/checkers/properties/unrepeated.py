"""PURE: nothing is received more often than it was sent (no duplication: Cachin, Guerraoui and Rodrigues, "Reliable and
Secure Distributed Programming", module 2.3); and a server sends one echo of what it received."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.messages import exchanges
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace

name = "unrepeated"
needs = frozenset({View.JOURNALS, View.MESSAGES})


def check(setting: Views) -> Finding:
    received, violations = 0, []
    for _, trace in exchanges(setting):
        received += len(trace.receives) + len(trace.replies)
        violations += [Violation(trace.operation, reason) for reason in _repeated(trace)]
    return Finding(name, tuple(violations), {"received": received})


def _repeated(trace: Trace) -> Iterator[str]:
    sent, came, echoed, back = map(len, (trace.sends, trace.receives, trace.answers, trace.replies))
    if came > sent:
        yield f"it was sent {sent} times, and received {came} times"
    if echoed > came:
        yield f"it was received {came} times, and echoed {echoed} times"
    if back > echoed:
        yield f"it was echoed {echoed} times, and its echo received {back} times"
