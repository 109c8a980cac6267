"""PURE: every call of a client that survives ends `ok` by the end of settling. A driver's clients all survive."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checkers.delivery import judged, tried
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.views import View, Views

name = "complete"
needs = frozenset({View.BITES, View.OPPORTUNITIES})


def check(setting: Views) -> Finding:
    by_journals = View.JOURNALS in setting.shown
    counts = tried(setting, name) if by_journals else {"bitten": len(setting.bite.bitten)}
    return Finding(name, tuple(_incomplete(setting)), counts)


def _incomplete(setting: Views) -> Iterator[Violation]:
    for trace in judged(setting):
        invoke, completion = trace.invoke, trace.completion
        if invoke is None or completion is None or setting.index.killed((invoke.node, invoke.epoch)):
            continue
        if trace.ending != "ok":
            yield Violation(trace.operation, f"it ended {trace.ending} ({completion.detail.get('error', '')})")
        elif completion.order > setting.index.drained:
            yield Violation(trace.operation, "it ended ok only after the end of settling")
