"""PURE: visitors of a control endpoint, who have not proved themselves yet: how many there may be, for how long, and
how much is said of them. Agent, node and planes have these rules from here:

1. A visitor has PATIENCE from its coming to its proof, however it deals out its bytes.
2. One too many takes the place of the oldest: who knows the token needs it for a round trip only, so the oldest is
   the least likely to know it, and no number of silent visitors keeps the right one out.
3. Who has proved itself is no visitor any more: it is not counted here, and no visitor can cost it its connection.
4. What is said of visitors, who may be anybody, cannot fill a disk: SAID lines in a PERIOD, the rest is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from nodes.units import SECOND

PATIENCE = 5 * SECOND
"""A handshake is three small frames: milliseconds, and seconds where a packet of it is lost."""
AWAITING_ONE = 16
"""Places where one orchestrator is awaited. Where each is a thread, so many are to be had nearly everywhere."""
AWAITING_MANY = 128
"""Places at an agent: the tunnels into a cell's nodes come all at once, and each costs a descriptor only."""
SHARE = 4
"""Visitors have a quarter of the descriptors that the process may open: the rest is for its work."""

LATE = "a visitor did not prove itself in time"
CROWDED = "too many visitors that have not proved themselves: the oldest one is sent away"

SAID = 20
"""Lines in a period: enough to see what is going on."""
PERIOD = 60 * SECOND

Visitor = TypeVar("Visitor")


def places(most: int, descriptors: int | None) -> int:
    """How many visitors there may be at once; `descriptors` is the process's limit of them, None for none."""
    return most if descriptors is None else max(1, min(most, descriptors // SHARE))


class Visitors(Generic[Visitor]):
    """Those who are there, the oldest first. Times are nanoseconds of a monotonic clock."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._deadlines: dict[Visitor, int] = {}

    def __iter__(self) -> Iterator[Visitor]:
        return iter(list(self._deadlines))

    def __contains__(self, visitor: object) -> bool:
        return visitor in self._deadlines

    def enter(self, visitor: Visitor, now: int) -> Visitor | None:
        """-> who has to go for it (rule 2), and is counted no more."""
        gone = self.oldest() if len(self._deadlines) >= self._places else None
        if gone is not None:
            self.leave(gone)
        self._deadlines[visitor] = now + PATIENCE
        return gone

    def leave(self, visitor: Visitor) -> None:
        """It has proved itself or is gone. Leaving twice is allowed."""
        self._deadlines.pop(visitor, None)

    def oldest(self) -> Visitor | None:
        return next(iter(self._deadlines), None)

    def overdue(self, now: int) -> list[Visitor]:
        """Those whose time is over."""
        return [visitor for visitor, deadline in self._deadlines.items() if deadline <= now]

    def next_time(self) -> int | None:
        """When the next one will be overdue."""
        return next(iter(self._deadlines.values()), None)


class Sparing:
    """Lets SAID lines of each period through."""

    def __init__(self) -> None:
        self._until = 0
        self._said = 0
        self._unsaid = 0

    def lines(self, text: str, now: int) -> list[str]:
        """-> what is to be said: `text`, nothing, or before it how much was not said."""
        told = []
        if now >= self._until:
            if self._unsaid:
                told.append(f"{self._unsaid} more lines like the last ones were not written")
            self._until, self._said, self._unsaid = now + PERIOD, 0, 0
        if self._said >= SAID:
            self._unsaid += 1
            return []
        self._said += 1
        return [*told, text]
