"""PURE: what one operation's client learnt, how often it ran, and what was answered to its repeats."""

from __future__ import annotations

from nodes.wire.header import Status
from orchestrator.checkers.executions import allows
from orchestrator.checkers.verdict import Outcome
from orchestrator.history.index import Trace
from orchestrator.scenario.cell import Outcome as Expected


def outcome(trace: Trace) -> Outcome:
    """As seen. The status is that of the answer to the first repeat, "" if no repeat was answered."""
    repeats = answers_to_repeats(trace)
    return Outcome(trace.ending, len(trace.effects), repeats[0] if repeats else "")


def answers_to_repeats(trace: Trace) -> list[str]:
    """The statuses in the server's journal, in order, without the first execution's own."""
    statuses = [Status(event.detail["status"]) for event in sorted(trace.answers, key=lambda event: event.order)]
    if Status.EXECUTED in statuses:
        statuses.remove(Status.EXECUTED)
    return [status.name.lower() for status in statuses]


def mismatch(trace: Trace, expected: Expected) -> str:
    """Why the operation's outcome is not the expected one, "" if it is.

    An expected status is that of the answer to a repeat; `executed` is that of any execution.
    """
    seen = outcome(trace)
    if seen.client != expected.client or not allows(expected.executions, seen.executions):
        return f"client {seen.client}, executions {seen.executions}"
    statuses = answers_to_repeats(trace)
    if expected.status == "executed":
        statuses = [Status(event.detail["status"]).name.lower() for event in trace.answers]
    if expected.status is not None and expected.status not in statuses:
        return f"answers to repeats: {', '.join(statuses) or 'none'}"
    return ""


def text(expected: Expected) -> str:
    status = f", {expected.status}" if expected.status else ""
    return f"client {expected.client}, executions {expected.executions}{status}"
