"""PURE: an effect has an earlier invoke; `ok` implies E >= 1 and carries the result of an effect of that operation;
`fail` implies E = 0.

Of a system that is not ours the oracle tells what an effect is of, in place of its result.
"""

from __future__ import annotations

from orchestrator.checkers.delivery import judged
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace

name = "valid"
needs = frozenset({View.BITES, View.OPPORTUNITIES})


def check(setting: Views) -> Finding:
    traces = judged(setting)
    bitten = setting.bite.bitten & {trace.operation for trace in traces}
    found = (Violation(trace.operation, reason) for trace in traces if (reason := _invalidity(setting, trace)))
    return Finding(name, tuple(found), {"bitten": len(bitten)})


def _invalidity(setting: Views, trace: Trace) -> str:
    executions = len(trace.effects)
    if trace.invoke is None or trace.completion is None:
        return f"it has {executions} effects and nobody invoked it" if executions else ""
    if trace.executes and setting.index.ordered(trace.executes[0], trace.invoke):
        return "it was executed before it was invoked"
    if trace.ending == "fail" and executions:
        had = f"it was executed ({executions} effects)" if trace.executes else f"it has {executions} effects"
        return f"its client was told that it failed, and {had}"
    if trace.ending == "ok" and not executions:
        return "its client was told ok, and it has no effect"
    return _other_effect(trace) if View.JOURNALS in setting.shown else _effect_of_another(trace)


def _other_effect(trace: Trace) -> str:
    value = trace.completion.detail.get("value") if trace.completion else None
    if trace.ending == "ok" and all(effect.detail["result"] != value for effect in trace.effects):
        return f"its client was told {value!r}, which is the result of none of its {len(trace.effects)} effects"
    return ""


def _effect_of_another(trace: Trace) -> str:
    wanted = str(trace.invoke.detail.get("value")) if trace.invoke else ""
    other = next((told for event in trace.effects if (told := event.detail.get("result")) not in ("", wanted)), None)
    return f"it was asked for {wanted}, and its effect is {other}" if other is not None else ""
