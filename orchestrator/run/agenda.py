"""PURE: what a run still has to do: at a time, or when a trigger occurs."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import NamedTuple

from nodes.ops import Program

Act = Callable[[], Program]


class Waiting(NamedTuple):
    """What is to be done when a trigger occurs."""

    trigger: str
    act: Act
    begins_fault: bool


class Agenda:
    """Triggers occur once; who comes to wait for one that occurred already acts at once."""

    def __init__(self) -> None:
        self._occurred: set[str] = set()
        self._waiting: list[Waiting] = []
        self._timers: list[tuple[int, int, Act]] = []
        self._ordinal = 0

    def when(self, trigger: str, act: Act, *, begins_fault: bool = False) -> Program:
        trigger = " ".join(trigger.split())  # however many blanks a scenario has between its words
        if trigger in self._occurred:
            yield from act()
        else:
            self._waiting.append(Waiting(trigger, act, begins_fault))

    def occur(self, event: str, number: int | None = None) -> Program:
        """`event` "server ready" with number 2 is what both "server ready" and "server ready 2" wait for."""
        names = {event} if number is None else {event, f"{event} {number}"}
        self._occurred |= names
        due = [waiting for waiting in self._waiting if waiting.trigger in names]
        self._waiting = [waiting for waiting in self._waiting if waiting.trigger not in names]
        for waiting in due:
            yield from waiting.act()

    def at(self, time: int, act: Act) -> None:
        self._ordinal += 1
        heapq.heappush(self._timers, (time, self._ordinal, act))

    def next_time(self, otherwise: int) -> int:
        return min(otherwise, self._timers[0][0]) if self._timers else otherwise

    @property
    def scheduled(self) -> bool:
        """Whether something is still to be done at a time."""
        return bool(self._timers)

    def due(self, now: int) -> Act | None:
        """The next act whose time has come."""
        if self._timers and self._timers[0][0] <= now:
            return heapq.heappop(self._timers)[2]
        return None

    def heal(self) -> None:
        """No fault begins or ends by itself any more."""
        self._waiting = [waiting for waiting in self._waiting if not waiting.begins_fault]
        self._timers.clear()
