"""The virtual clock: what happens when, in one total order.

Two things at the same nanosecond happen in the order in which they were arranged, so a run depends on the
seed alone. A wait that is over leaves its timer behind; such a timer is skipped and does not move the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from nodes.engines.sim.fiber import Fiber

_Entry = tuple[int, int, Fiber | None, Any, Callable[[Any], None]]


class Timeline:
    """`now` in nanoseconds; it moves only in `step`."""

    __slots__ = ("_entries", "_order", "now")

    def __init__(self, start: int = 0) -> None:
        self.now = start
        self._entries: list[_Entry] = []
        self._order = 0

    def at(self, time: int, action: Callable[[Any], None], argument: Any) -> None:
        """Call `action(argument)` at `time`, or now if that has passed."""
        self._order += 1
        now = self.now
        heappush(self._entries, (time if time > now else now, self._order, None, argument, action))

    def timer(self, time: int, fiber: Fiber, action: Callable[[Fiber], None]) -> None:
        """Call `action(fiber)` at `time` unless what `fiber` waits for now is over by then."""
        self._order += 1
        now = self.now
        heappush(self._entries, (time if time > now else now, self._order, fiber, fiber.waits, action))

    def step(self) -> bool:
        """Let the next thing happen; False if there is none."""
        while self._entries:
            time, _, fiber, argument, action = heappop(self._entries)
            if fiber is None:
                self.now = time
                action(argument)
                return True
            if fiber.waits == argument and not fiber.done:
                self.now = time
                action(fiber)
                return True
        return False
