"""Deadlines of an event loop: a heap of them, with lazy removal.

Most deadlines never pass (their operation completes first), so cancelling only marks the timer; marked
timers leave the heap when they reach its top, or all at once when they are the majority.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

Owner = TypeVar("Owner")

_FEW = 64


class Timer(Generic[Owner]):
    """One armed deadline; `owner` is None once it fired or was cancelled."""

    __slots__ = ("owner",)

    def __init__(self, owner: Owner) -> None:
        self.owner: Owner | None = owner


class Timers(Generic[Owner]):
    """Armed timers, earliest first; equal times fire in the order of arming. Times are nanoseconds.

    `heap` is one list for ever, for loops that look with each turn whether there is a timer at all.
    """

    __slots__ = ("_cancelled", "_serial", "heap")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, Timer[Owner]]] = []
        self._serial = 0
        self._cancelled = 0

    def arm(self, when: int, owner: Owner) -> Timer[Owner]:
        timer = Timer(owner)
        self._serial += 1
        heappush(self.heap, (when, self._serial, timer))
        return timer

    def cancel(self, timer: Timer[Owner]) -> None:
        """Cancelling one that fired or was cancelled before does nothing."""
        if timer.owner is None:
            return
        timer.owner = None
        self._cancelled += 1
        if self._cancelled > _FEW and self._cancelled * 2 > len(self.heap):
            self.heap[:] = (entry for entry in self.heap if entry[2].owner is not None)
            heapify(self.heap)
            self._cancelled = 0

    def earliest(self) -> int | None:
        """The next time at which something fires, or None."""
        while self.heap and self.heap[0][2].owner is None:
            heappop(self.heap)
            self._cancelled -= 1
        return self.heap[0][0] if self.heap else None

    def expired(self, now: int) -> Iterator[Owner]:
        """The owners whose time has come; each fires once, and one cancelled meanwhile does not."""
        while (when := self.earliest()) is not None and when <= now:
            timer = heappop(self.heap)[2]
            owner, timer.owner = timer.owner, None
            if owner is not None:
                yield owner

    def clear(self) -> None:
        self.heap.clear()
        self._cancelled = 0
