"""The raw readiness multiplexer: what select, poll, epoll and kqueue have in common."""

from __future__ import annotations

from typing import Protocol

# The values of poll(2) and epoll(7), so that those need no translation.
READABLE = 0x01
WRITABLE = 0x04
FAILED = 0x18  # error or hang-up; a poller reports it unasked, and both directions look at it


class Poller(Protocol):
    """The raw multiplexer: an interest set and a wait. Level-triggered."""

    def register(self, fd: int, interest: int) -> None: ...

    def modify(self, fd: int, interest: int) -> None: ...

    def unregister(self, fd: int) -> None: ...

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        """(fd, READABLE | WRITABLE | FAILED) of what is ready; [] at the timeout. None waits for ever."""
        ...

    def close(self) -> None: ...
