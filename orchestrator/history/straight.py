"""PURE: whether nothing happened to an operation, as to most operations of a long run.

Such a one answers for itself most of what checkers ask, and they need not ask it. It had one attempt, one message each
way, one execution, and these in this order:

    invoke, attempt, send, (pass,) receive, execute, (commit,) answer, (pass,) reply, ok

What was executed is what was invoked; what was answered, replied and told is what was executed, or committed and
written to the ledger, by the process that received it. Each says `executed`, of attempt 1; the request arrived as it
was sent, and what a hop passed it passed on the link on which it was received.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nodes.wire.header import Status
from nodes.wire.record import Kind
from orchestrator.history.merged import Event


class Events(Protocol):
    """Of one operation; see orchestrator.history.trace.Trace."""

    invoke: Event | None
    completion: Event | None
    has_effect: bool
    attempts: list[Event]
    unconnected: list[Event]
    sends: list[Event]
    replies: list[Event]
    ends: list[Event]
    receives: list[Event]
    executes: list[Event]
    commits: list[Event]
    answers: list[Event]
    decisions: list[Event]
    releases: list[Event]
    effects: list[Event]
    further: list[Event]


def straight(trace: Events) -> bool:
    if trace.ends or trace.unconnected or trace.releases or trace.further:
        return False
    if len(trace.commits) != trace.has_effect or len(trace.effects) != trace.has_effect:
        return False
    try:
        (attempt,), (send,), (receive,), (execute,) = trace.attempts, trace.sends, trace.receives, trace.executes
        (answer,), (reply,), invoke, end = trace.answers, trace.replies, trace.invoke, trace.completion
    except ValueError:
        return False
    if invoke is None or end is None or end.kind is not Kind.OK:
        return False
    passed = trace.decisions
    if passed and not _passed(passed, receive):
        return False
    course = (attempt, send, *passed[:1], receive, execute, *trace.commits, answer, *passed[1:], reply)
    return (
        _in_order(invoke, course, end)
        and _in_one_process(receive, (execute, *trace.commits, *trace.effects, answer))
        and _as_sent(send, receive)
        and invoke.detail == execute.detail
        and _of_one_result(end.detail.get("value"), answer, reply)
        and all(map(_written, trace.commits, trace.effects, (end,), (invoke,)))
    )


def _passed(decisions: Sequence[Event], receive: Event) -> bool:
    if len(decisions) != 2:
        return False
    link = receive.detail.get("link")
    return all(
        event.detail.get("act") == "pass"
        and event.detail.get("rule") is None
        and event.detail.get("link") == link
        and event.detail.get("direction") == direction
        for event, direction in zip(decisions, ("request", "reply"), strict=True)
    )


def _in_order(invoke: Event, course: Sequence[Event], end: Event) -> bool:
    last = invoke.order
    for event in course:
        if event.order <= last or event.attempt != 1:
            return False
        last = event.order
    return last < end.order


def _in_one_process(receive: Event, own: Sequence[Event]) -> bool:
    node, epoch = receive.node, receive.epoch
    return all(event.epoch == epoch and event.node == node and event.attempt == 1 for event in own)


def _as_sent(send: Event, receive: Event) -> bool:
    sent, received = send.detail, receive.detail
    return "first" in sent and sent["first"] == received.get("first") and sent.get("server") == received.get("server")


def _of_one_result(value: object, answer: Event, reply: Event) -> bool:
    one, other = answer.detail, reply.detail
    said = one.get("status") == other.get("status") == Status.EXECUTED
    return said and one.get("value") == value and other.get("value") == value


def _written(commit: Event, effect: Event, end: Event, invoke: Event) -> bool:
    done, row = commit.detail, effect.detail
    value = end.detail.get("value")
    return bool(
        done.get("result") == value
        and row.get("result") == value
        and done.get("n") == row.get("n")
        and row.get("intent") == invoke.detail.get("intent")
    )
