"""PURE: stretches of a run, and which of them meet another one, without looking at all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Generic, Protocol, TypeVar


class Interval(Protocol):
    """From the event `begin` until the event `end` (orders)."""

    @property
    def begin(self) -> int: ...
    @property
    def end(self) -> int: ...


T = TypeVar("T", bound=Interval)


class Intervals(Generic[T]):
    """Some of one kind; they may overlap. A question takes the logarithm of their number, and what it finds."""

    def __init__(self, intervals: Iterable[T] = ()) -> None:
        self._sorted = sorted(intervals, key=lambda interval: interval.begin)
        self._begins = [interval.begin for interval in self._sorted]
        self._reach = list(accumulate((interval.end for interval in self._sorted), max))

    def meeting(self, begin: int, end: int) -> Iterator[T]:
        """Those that begin before `end` and end after `begin`, the latest first."""
        place = bisect_left(self._begins, end)
        while place and self._reach[place - 1] > begin:
            place -= 1
            if self._sorted[place].end > begin:
                yield self._sorted[place]

    def meet(self, begin: int, end: int) -> bool:
        return next(self.meeting(begin, end), None) is not None
