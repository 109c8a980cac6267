"""The raw readiness multiplexer: what select, poll, epoll and kqueue have in common."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

# The values of poll(2) and epoll(7), so that those need no translation.
READABLE = 0x01
URGENT = 0x02  # out-of-band data: what select(2) calls exceptional. No driver asks for it
WRITABLE = 0x04
FAILED = 0x18  # error or hang-up; a poller reports it unasked, and both directions look at it


class Trigger(Enum):
    """What an event leaves of the registration that it came for (epoll(7), "Level-triggered and edge-triggered")."""

    LEVEL = "level"
    """All of it: an event comes again for as long as its descriptor is ready."""
    EDGE = "edge"
    """All of it, but what was ready is not told again. `modify` tells it again, as `register` tells it at first."""
    ONE_SHOT = "one-shot"
    """Nothing: `register` registers anew, and tells what is ready by then."""


class Poller(Protocol):
    """The raw multiplexer: an interest set and a wait.

    `tells_end`: a stream of TCP that has ended, or whose peer sent urgent data, says more than READABLE. Then a receive
    that got less than it asked for, after an event that said no more than that, has taken all that the event was for.
    """

    trigger: Trigger
    tells_end: bool

    def register(self, fd: int, interest: int) -> None: ...

    def modify(self, fd: int, interest: int) -> None: ...

    def unregister(self, fd: int) -> None: ...

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        """(fd, READABLE | WRITABLE | FAILED) of what is ready; [] at the timeout. None waits for ever."""
        ...

    def close(self) -> None: ...


class OneShot(Poller, Protocol):
    """`anew[0](fd, anew[1])` registers anew for READABLE what that was told of, by a single call."""

    anew: tuple[Callable[[int, int], None], int]
