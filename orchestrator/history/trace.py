"""PURE: one operation of a history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from chaos.identity import Direction
from nodes.services import has_effect
from nodes.wire.record import COMPLETIONS, Kind
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, Operation


@dataclass(slots=True)
class Trace:
    """One operation's events, each list in order."""

    operation: Operation
    invoke: Event | None = None
    completion: Event | None = None
    node: str = ""
    """Its client's node, "" for an operation that nobody invoked."""
    has_effect: bool = False
    """Whether its procedure is declared to have an effect."""
    ending: str = ""
    """`ok`, `fail` or `info`; "" for an operation without a completion."""
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
    further: list[Event] = field(default_factory=list)
    """Invokes and completions after the first."""

    @property
    def told(self) -> Any:
        """The result that its client was told, None if there is none."""
        return self.completion.detail.get("value") if self.completion else None

    def corrupted(self, direction: Direction) -> frozenset[int]:
        """The attempts of which a relay flipped bits of an argument or a result: no checksum tells their receivers."""
        decided = (event for event in self.decisions if event.detail.get("act") == "corrupt")
        return frozenset(event.attempt for event in decided if event.detail.get("direction") == direction)

    def decided_by(self, rule: int) -> list[Event]:
        """What relays decided about its messages by this rule."""
        return [event for event in self.decisions if event.detail.get("rule") == rule]

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

    @property
    def begun(self) -> int:
        """The order of its first event."""
        return min((event.order for event in self.events()), default=0)

    def events(self) -> Iterator[Event]:
        """All of them."""
        yield from (event for event in (self.invoke, self.completion) if event)
        yield from self.further
        for name in _LISTS.values():
            yield from getattr(self, name)

    def add(self, event: Event) -> None:
        """Its next one."""
        kind = event.kind
        if (name := _LISTS.get(kind)) is not None:
            getattr(self, name).append(event)
        elif kind is Kind.INVOKE and self.invoke is None:
            self.invoke, self.node = event, event.node
            self.has_effect = has_effect(event.detail.get("f", ""))
        elif kind in _ENDINGS and self.completion is None:
            self.completion, self.ending = event, _ENDINGS[kind]
        elif kind is Kind.INVOKE or kind in _ENDINGS:
            self.further.append(event)


_ENDINGS = {kind: kind.name.lower() for kind in COMPLETIONS}
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


OF_OPERATIONS = frozenset({*_LISTS, *_ENDINGS, Kind.INVOKE})
"""The kinds that a trace has."""


def timed_out(end: Event) -> bool:
    """Whether a client ended a connection itself, which took it too long."""
    return bool(end.detail.get("error") == "timeout")


def traced(operation: Operation, events: Iterable[Event]) -> Trace:
    """Of all events of an operation, in order; those of other kinds say nothing of it."""
    trace = Trace(operation)
    for event in events:
        trace.add(event)
    return trace


def by_operation(events: Iterable[Event]) -> dict[Operation, list[Event]]:
    """What is of a trace of events with a number, by operation, in the order of their first ones of any kind."""
    found: dict[Operation, list[Event]] = defaultdict(list)
    for event in events:
        own = found[event[6], event[7]]  # client, seq
        if event[5] in OF_OPERATIONS:
            own.append(event)
    return found
