"""PURE: what can be said of a system that is not ours, whose servers keep no journal for us.

Effects are the oracle's. Which copies of a message went where is the relay's evidence, and what clients learnt is the
driver's. Which operations the faults bit is told by orchestrator/checkers/bites/foreign.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from nodes.wire.record import Kind
from orchestrator.checkers import evidence
from orchestrator.checkers.bites.foreign import bite
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.expectations import Found
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index, Trace


def oracle_was_asked(index: Index) -> Iterator[str]:
    """A run whose oracle gave no answer had any effects."""
    if not index.of_kind(Kind.LEDGER):
        yield "the oracle reported nothing, not even that there are no effects"


RULES = (
    evidence.reached_its_end,
    evidence.begins_with_start,
    evidence.rows_have_no_gap,
    evidence.invokes_come_first,
    evidence.completions_are_single,
    oracle_was_asked,
)
"""What of the evidence gate can be asked without a server's journal."""


def problems(index: Index) -> tuple[str, ...]:
    """Why this history's evidence cannot be trusted; empty if it can."""
    return tuple(problem for rule in RULES for problem in rule(index))


def judge(setting: Setting) -> Found:
    """The bites, and the findings on valid, complete and once."""
    bites = bite(setting)
    findings = (_valid(setting, bites), _complete(setting, bites), _once(setting))
    return Found(bites, {}, {finding.name: finding for finding in findings}, "")


# Delivery


def _valid(setting: Setting, bites: Bite) -> Finding:
    judged = setting.index.traces.values()
    found = tuple(Violation(trace.operation, reason) for trace in judged if (reason := _invalidity(trace)))
    return Finding("valid", found, {"bitten": len(bites.bitten)})


def _invalidity(trace: Trace) -> str:
    executions = len(trace.effects)
    if trace.invoke is None:
        return f"it has {executions} effects and nobody invoked it" if executions else ""
    if trace.ending == "ok" and not executions:
        return "its client was told ok, and it has no effect"
    if trace.ending == "fail" and executions:
        return f"its client was told that it failed, and it has {executions} effects"
    wanted = str(trace.invoke.detail.get("value"))
    other = next((told for event in trace.effects if (told := event.detail.get("result")) not in ("", wanted)), None)
    return f"it was asked for {wanted}, and its effect is {other}" if other is not None else ""


def _complete(setting: Setting, bites: Bite) -> Finding:
    """Every driver's client lives until the end, so every call of it is to end `ok`."""
    found = []
    for trace in setting.index.invoked.values():
        if trace.ending != "ok":
            error = trace.completion.detail.get("error", "") if trace.completion else ""
            found.append(Violation(trace.operation, f"it ended {trace.ending} ({error})"))
        elif trace.completion is not None and trace.completion.order > setting.index.drained:
            found.append(Violation(trace.operation, "it ended ok only after the end of settling"))
    return Finding("complete", tuple(found), {"bitten": len(bites.bitten)})


def _once(setting: Setting) -> Finding:
    """Tried by requests that came again: to the relay, or by what the driver tells of its attempts."""
    repeated = {operation for operation, trace in setting.index.invoked.items() if _repeated(trace)}
    found = tuple(
        Violation(trace.operation, f"it was executed {len(trace.effects)} times")
        for trace in setting.index.traces.values()
        if len(trace.effects) > 1
    )
    return Finding("once", found, {"repeated": len(repeated)})


def _repeated(trace: Trace) -> bool:
    told = trace.completion.detail.get("attempts", 0) if trace.completion else 0
    passed = sum(
        event.detail.get("direction") == "request" and event.detail.get("act") == "pass" for event in trace.decisions
    )
    return passed > 1 or (told > 1 and not trace.decisions)
