"""PURE: one operation of a history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from chaos.identity import Direction
from nodes.services import has_effect
from nodes.wire.record import Kind
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import COMPLETIONS, Event, Operation


@dataclass(slots=True)
class Trace:
    """One operation's events, each list in order."""

    operation: Operation
    invoke: Event | None = None
    completion: Event | None = None
    attempts: list[Event] = field(default_factory=list)
    unconnected: list[Event] = field(default_factory=list)
    sends: list[Event] = field(default_factory=list)
    replies: list[Event] = field(default_factory=list)
    ends: list[Event] = field(default_factory=list)
    receives: list[Event] = field(default_factory=list)
    executes: list[Event] = field(default_factory=list)
    commits: list[Event] = field(default_factory=list)
    answers: list[Event] = field(default_factory=list)
    decisions: list[Event] = field(default_factory=list)
    releases: list[Event] = field(default_factory=list)
    effects: list[Event] = field(default_factory=list)

    @property
    def node(self) -> str:
        """Its client's node, "" for an operation that nobody invoked."""
        return self.invoke.node if self.invoke else ""

    @property
    def straight(self) -> bool:
        """Whether nothing happened to it: one attempt, one message each way, executed and answered in one process.

        Then most of what could be asked of it has its answer. Most operations of a long run are so.
        """
        if len(self.sends) != 1 or len(self.receives) != 1 or len(self.replies) != 1 or len(self.answers) != 1:
            return False
        if self.ends or self.unconnected or self.releases or len(self.attempts) != 1 or len(self.executes) != 1:
            return False
        if len(self.effects) > 1 or len(self.commits) != len(self.effects) or self.ending != "ok":
            return False
        (send,), (receive,) = self.sends, self.receives
        life = (receive.node, receive.epoch)
        own = (*self.executes, *self.commits, *self.effects, *self.answers)
        return (
            send.attempt == 1
            and self.replies[0].attempt == receive.attempt == 1
            and all(
                event.attempt == 1 and (event.node, event.epoch) == life and event.order > receive.order
                for event in own
            )
        )

    @property
    def has_effect(self) -> bool:
        """Whether its procedure is declared to have an effect."""
        return self.invoke is not None and has_effect(self.invoke.detail.get("f", ""))

    @property
    def ending(self) -> str:
        """`ok`, `fail` or `info`; "" for an operation that nobody invoked."""
        return self.completion.kind.name.lower() if self.completion else ""

    @property
    def told(self) -> Any:
        """The result that its client was told, None if there is none."""
        return self.completion.detail.get("value") if self.completion else None

    def corrupted(self, direction: Direction) -> frozenset[int]:
        """The attempts of which a relay flipped bits of an argument or a result: no checksum tells their receivers."""
        decided = (event for event in self.decisions if event.detail.get("act") == "corrupt")
        return frozenset(event.attempt for event in decided if event.detail.get("direction") == direction)

    def open_during(self, begin: int, end: int) -> bool:
        """Whether it was invoked before `end` and not completed before `begin`."""
        if self.invoke is None or self.completion is None:
            return False
        return self.invoke.order < end and self.completion.order > begin

    def open_in(self, intervals: Intervals[Any]) -> bool:
        """Whether it was open during one of them."""
        if self.invoke is None or self.completion is None:
            return False
        return intervals.meet(self.invoke.order, self.completion.order)

    def add(self, event: Event) -> None:
        """Its next one; a second invoke or completion is not looked at."""
        kind = event.kind
        if (name := _LISTS.get(kind)) is not None:
            getattr(self, name).append(event)
        elif kind is Kind.INVOKE:
            self.invoke = self.invoke or event
        elif kind in COMPLETIONS:
            self.completion = self.completion or event


_LISTS = {
    Kind.ATTEMPT: "attempts",
    Kind.UNCONNECTED: "unconnected",
    Kind.SEND: "sends",
    Kind.REPLY: "replies",
    Kind.END: "ends",
    Kind.RECEIVE: "receives",
    Kind.EXECUTE: "executes",
    Kind.COMMIT: "commits",
    Kind.ANSWER: "answers",
    Kind.DECISION: "decisions",
    Kind.RELEASE: "releases",
    Kind.EFFECT: "effects",
}


def traced(events: Iterable[Event]) -> dict[Operation, Trace]:
    """Of events with a client, by operation, in the order of their first ones."""
    found: dict[Operation, Trace] = {}
    for event in events:
        operation = event[6], event[7]  # client, seq
        trace = found.get(operation)
        if trace is None:
            trace = found[operation] = Trace(operation)
        trace.add(event)
    return found
