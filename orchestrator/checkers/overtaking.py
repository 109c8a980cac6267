"""PURE: which messages came to their receiver before one of the same client that had come to the relay earlier."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from chaos.identity import Direction
from orchestrator.history.index import Index, Trace
from orchestrator.history.merged import Event, Operation

Way = tuple[int, str]
"""(client, direction)"""


class Message(NamedTuple):
    """One attempt's request or reply: where the relay last decided on a copy, where its receiver first had one."""

    decided: int
    seen: int
    operation: Operation


class Overtaking:
    """Asked of one message, takes the logarithm of what its client sent."""

    def __init__(self, index: Index) -> None:
        ways: dict[Way, list[Message]] = defaultdict(list)
        for trace in index.traces.values():
            for direction, message in _messages(trace):
                ways[trace.operation[0], direction].append(message)
        self._ways = {way: _Way(messages) for way, messages in ways.items()}

    def overtaken(self, operation: Operation, direction: str, decided: int, seen: int) -> bool:
        """Whether one of another operation was decided on after `decided` and first seen before `seen` (orders)."""
        way = self._ways.get((operation[0], direction))
        return way is not None and way.earliest(operation, decided) < seen


class _Way:
    """One client's messages of one direction."""

    def __init__(self, messages: list[Message]) -> None:
        messages.sort()
        self._decided = [message.decided for message in messages]
        self._earliest: list[list[Message]] = [[]]
        for message in reversed(messages):
            self._earliest.append(_two_earliest([*self._earliest[-1], message]))
        self._earliest.reverse()

    def earliest(self, operation: Operation, decided: int) -> float:
        """Where the first of another operation was seen, of those that were decided on after `decided`."""
        found = self._earliest[bisect_right(self._decided, decided)]
        return min((message.seen for message in found if message.operation != operation), default=float("inf"))


def _two_earliest(messages: list[Message]) -> list[Message]:
    """Of two operations, so that one is left whichever is asked about."""
    first = min(messages, key=lambda message: message.seen)
    others = [message for message in messages if message.operation != first.operation]
    return [first, min(others, key=lambda message: message.seen)] if others else [first]


def _messages(trace: Trace) -> Iterator[tuple[Direction, Message]]:
    yield from (("request", message) for message in _of(trace, "request", trace.receives))
    yield from (("reply", message) for message in _of(trace, "reply", trace.replies))


def _of(trace: Trace, direction: Direction, received: list[Event]) -> Iterator[Message]:
    seen: dict[int, int] = {}
    for event in received:
        seen.setdefault(event.attempt, event.order)
    decided = {event.attempt: event.order for event in trace.decisions if event.detail.get("direction") == direction}
    for attempt, order in decided.items():
        if attempt in seen:
            yield Message(order, seen[attempt], trace.operation)
