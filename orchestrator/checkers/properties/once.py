"""PURE: E <= 1.

Of a system that is not ours it was tried by requests that came again: to the relay, or by what the driver tells of its
attempts.
"""

from __future__ import annotations

from orchestrator.checkers.delivery import judged, tried
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace

name = "once"
needs = frozenset({View.BITES, View.OPPORTUNITIES})


def check(setting: Views) -> Finding:
    found = tuple(
        Violation(trace.operation, f"it was executed {len(trace.effects)} times")
        for trace in judged(setting)
        if len(trace.effects) > 1
    )
    by_journals = View.JOURNALS in setting.shown
    return Finding(name, found, tried(setting, name) if by_journals else {"repeated": _repeated(setting)})


def _repeated(setting: Views) -> int:
    return sum(_came_again(trace) for trace in setting.index.invoked.values())


def _came_again(trace: Trace) -> bool:
    told = trace.completion.detail.get("attempts", 0) if trace.completion else 0
    passed = sum(
        event.detail.get("direction") == "request" and event.detail.get("act") == "pass" for event in trace.decisions
    )
    return passed > 1 or (told > 1 and not trace.decisions)
