"""PURE: how the messages of one operation fared on their way, told by the journals of both ends."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chaos.identity import Direction
from nodes.units import MILLISECOND
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Trace, Window
from orchestrator.history.merged import Event

NOISE = 1 * MILLISECOND
"""A shorter delay is the machine's own."""


class Transit(NamedTuple):
    """One message: handed over at `sent`, first seen by its receiver at `received`, None if never.

    `given_up` is the order from which its client waited no more on that connection, or at all.
    """

    direction: Direction
    sent: Event
    received: Event | None
    given_up: int

    def within(self, window: Window) -> bool:
        """Whether it was on the way, or missing and waited for, in the window."""
        arrived = self.received is None or self.received.order > window.begin
        return self.sent.order < window.end and arrived and self.given_up > window.begin

    @property
    def lost(self) -> bool:
        """It was sent to somebody who waited for it, and came never."""
        return self.received is None and self.sent.order < self.given_up

    def late(self, asked: float) -> bool:
        """It took at least half of `asked` nanoseconds."""
        return self.received is not None and delayed(self.sent, self.received, asked)


def delayed(first: Event, then: Event, asked: float) -> bool:
    """Whether at least half of what was asked lies between two events, and more than noise."""
    return then.time - first.time >= max(asked / 2, NOISE)


def transits(setting: Setting, trace: Trace) -> list[Transit]:
    """Every message of the operation but those whose fate a server explains that was dead or stopped."""
    found = [*_of("request", trace, trace.sends, trace.receives), *_of("reply", trace, trace.answers, trace.replies)]
    return [transit for transit in found if not _explained(setting, trace, transit)]


def _of(direction: Direction, trace: Trace, sent: Iterable[Event], received: Iterable[Event]) -> Iterator[Transit]:
    """Messages of one attempt are told apart by their order: each has the first receipt after it."""
    left: dict[int, deque[Event]] = defaultdict(deque)
    for one in received:
        left[one.attempt].append(one)
    given_up = _given_up(trace)
    completed = trace.completion.order if trace.completion else 0
    for event in sent:
        mine = left[event.attempt]
        while mine and mine[0].order < event.order:
            mine.popleft()
        yield Transit(direction, event, mine.popleft() if mine else None, given_up.get(event.attempt, completed))


def _given_up(trace: Trace) -> dict[int, int]:
    """Attempt -> the order at which its client waited no more, of those whose connection ended."""
    found: dict[int, int] = {}
    for event in trace.ends:
        found[event.attempt] = min(event.order, found.get(event.attempt, event.order))
    completed = trace.completion.order if trace.completion else None
    return {attempt: order if completed is None else min(order, completed) for attempt, order in found.items()}


def openings(trace: Trace) -> Iterator[tuple[Event, Event]]:
    """(begun, sent) of each attempt: between them lie connecting and hello, where they were due."""
    begun = {event.attempt: event for event in trace.attempts}
    for event in trace.sends:
        if event.attempt in begun:
            yield begun[event.attempt], event


def _explained(setting: Setting, trace: Trace, transit: Transit) -> bool:
    over = transit.received.order if transit.received else transit.given_up
    return setting.index.is_away(setting.server_of(trace), transit.sent.order, over)
