"""select(2): three bit tables go to the kernel with each wait, which scans them, and come back changed."""

from __future__ import annotations

import select

from nodes.engines.common import fd_set
from nodes.engines.common.poller import READABLE, URGENT, WRITABLE, Trigger
from nodes.engines.common.readiness import Driver


def availability() -> str | None:
    return None


class SelectPoller:
    """Says no more than readable, writable and exceptional: what failed is both of the first two."""

    trigger = Trigger.LEVEL
    tells_end = False

    def __init__(self) -> None:
        self._reading: dict[int, None] = {}
        self._writing: dict[int, None] = {}
        self._urgent: dict[int, None] = {}

    def register(self, fd: int, interest: int) -> None:
        """Raises OSError for a descriptor that the tables have no place for."""
        fd_set.check(fd)
        self.modify(fd, interest)

    def modify(self, fd: int, interest: int) -> None:
        self.unregister(fd)
        if interest & READABLE:
            self._reading[fd] = None
        if interest & WRITABLE:
            self._writing[fd] = None
        if interest & URGENT:
            self._urgent[fd] = None

    def unregister(self, fd: int) -> None:
        self._reading.pop(fd, None)
        self._writing.pop(fd, None)
        self._urgent.pop(fd, None)

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        """Python rounds the timeout up to whole microseconds."""
        timeout = None if timeout_ns is None else timeout_ns / 1e9
        readable, writable, urgent = select.select(self._reading, self._writing, self._urgent, timeout)
        ready = dict.fromkeys(readable, READABLE)
        for fd in writable:
            ready[fd] = ready.get(fd, 0) | WRITABLE
        for fd in urgent:
            ready[fd] = ready.get(fd, 0) | URGENT
        return list(ready.items())

    def close(self) -> None:
        """Nothing is kept in the kernel."""


class Engine(Driver):
    """One thread, and FD_SETSIZE descriptors."""

    poller = SelectPoller
