"""PURE: the three properties that delivery levels are made of, and the opportunities that claiming them needs.

E(id) is the number of committed effects of operation `id` over all epochs, read from the ledgers. *valid*: an
effect has an earlier invoke, `ok` implies E >= 1 and carries the result of an effect of that id, `fail` implies
E = 0. *complete*: every call of a client that survives ends `ok` by the end of settling. *once*: E <= 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Trace
from orchestrator.history.merged import Operation
from orchestrator.scenario.cell import Level, Model

LEVELS: dict[Level, tuple[str, ...]] = {
    "maybe": ("valid",),
    "at-least-once": ("valid", "complete"),
    "at-most-once": ("valid", "once"),
    "exactly-once": ("valid", "complete", "once"),
}

NEEDED: dict[tuple[str, Model], tuple[str, ...]] = {
    ("complete", "loss"): ("request-unseen", "reply-unseen"),
    ("complete", "server-crash"): ("died-before-commit", "died-after-commit"),
    ("complete", "connection-cut"): ("cut-while-open",),
    ("once", "loss"): ("repeat-after-commit",),
    ("once", "duplication"): ("repeat-while-executing", "repeat-after-commit"),
    ("once", "reordering"): ("seen-out-of-order",),
    ("once", "connection-cut"): ("cut-while-open",),
    ("once", "server-crash"): ("repeat-in-later-epoch", "died-after-commit"),
    ("once", "history-loss"): ("repeat-after-history-loss",),
    ("once", "history-trim"): ("repeat-after-trim",),
}
"""The table of docs/semantics.md, turned round: what must have been seen to claim a property under a model."""

Opportunities = Mapping[str, frozenset[Operation]]


def check(setting: Setting, offered: Opportunities, bitten: frozenset[Operation]) -> tuple[Finding, ...]:
    """The findings on valid, complete and once, in this order."""
    judged = [trace for trace in setting.index.traces.values() if trace.invoke is None or trace.has_effect]
    counts = {"bitten": len(bitten & {trace.operation for trace in judged})}
    return (
        Finding("valid", tuple(_invalid(setting, judged)), counts),
        Finding("complete", tuple(_incomplete(setting, judged)), _counts(setting, "complete", offered)),
        Finding("once", tuple(_repeated(judged)), _counts(setting, "once", offered)),
    )


def _counts(setting: Setting, name: str, offered: Opportunities) -> dict[str, int]:
    """How many operations offered each opportunity that the property needs under the cell's failure models."""
    delivery = setting.cell.expect.delivery
    models = delivery.under if delivery else ()
    wanted = {opportunity for model in models for opportunity in NEEDED.get((name, model), ())}
    return {opportunity: len(offered.get(opportunity, ())) for opportunity in sorted(wanted)}


def _invalid(setting: Setting, judged: list[Trace]) -> Iterator[Violation]:
    for trace in judged:
        reason = _invalidity(setting, trace)
        if reason:
            yield Violation(trace.operation, reason)


def _invalidity(setting: Setting, trace: Trace) -> str:
    executions = len(trace.effects)
    if trace.invoke is None or trace.completion is None:
        return f"it has {executions} effects and nobody invoked it" if executions else ""
    if trace.executes and setting.index.ordered(trace.executes[0], trace.invoke):
        return "it was executed before it was invoked"
    if trace.ending == "fail" and executions:
        return f"its client was told that it failed, and it was executed ({executions} effects)"
    if trace.ending == "ok" and not executions:
        return "its client was told ok, and it has no effect"
    value = trace.completion.detail.get("value")
    if trace.ending == "ok" and all(effect.detail["result"] != value for effect in trace.effects):
        return f"its client was told {value!r}, which is the result of none of its {executions} effects"
    return ""


def _incomplete(setting: Setting, judged: list[Trace]) -> Iterator[Violation]:
    for trace in judged:
        invoke, completion = trace.invoke, trace.completion
        if invoke is None or completion is None or setting.index.killed((invoke.node, invoke.epoch)):
            continue
        if trace.ending != "ok":
            yield Violation(trace.operation, f"it ended {trace.ending} ({completion.detail.get('error', '')})")
        elif completion.order > setting.index.drained:
            yield Violation(trace.operation, "it ended ok only after the end of settling")


def _repeated(judged: list[Trace]) -> Iterator[Violation]:
    for trace in judged:
        if len(trace.effects) > 1:
            yield Violation(trace.operation, f"it was executed {len(trace.effects)} times")
