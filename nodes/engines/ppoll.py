"""ppoll(2): poll with a timeout in nanoseconds, and a signal mask that holds for the wait alone."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_int, c_short, c_ulong, c_void_p

from nodes.engines.common import libc, signals
from nodes.engines.common.poller import Trigger
from nodes.engines.common.readiness import Driver


def availability() -> str | None:
    return libc.missing("ppoll")


class Pollfd(ctypes.Structure):
    """struct pollfd, poll(2). The kernel passes over a negative descriptor."""

    _fields_ = (("fd", c_int), ("events", c_short), ("revents", c_short))


class PpollPoller:
    """Keeps the array, with a place for each descriptor; the kernel takes no longer one than descriptors are allowed.
    SIGINT and SIGTERM come only while it waits.
    """

    trigger = Trigger.LEVEL
    tells_end = False

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._free: list[int] = []
        self._used = 0
        self._array = (Pollfd * 1)()
        self._held = signals.Held()
        self._ppoll = libc.function("ppoll", c_void_p, c_ulong, POINTER(libc.Timespec), POINTER(libc.Sigset))
        self.close = self._held.release

    def register(self, fd: int, interest: int) -> None:
        place = self._places[fd] = self._free.pop() if self._free else self._grown()
        self._array[place] = Pollfd(fd, interest)

    def _grown(self) -> int:
        """One more place."""
        place, self._used = self._used, self._used + 1
        if self._used > len(self._array):
            self._array = (Pollfd * (2 * place))(*self._array)
        return place

    def modify(self, fd: int, interest: int) -> None:
        self._array[self._places[fd]].events = interest

    def unregister(self, fd: int) -> None:
        place = self._places.pop(fd)
        self._array[place].fd = -1
        self._free.append(place)

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        entries, used = self._array, self._used
        if not self._ppoll(entries, used, libc.timespec(timeout_ns), self._held.mask):
            return []
        self._held.admit()
        told = memoryview(entries).cast("B").cast("h")[3 : 4 * used : 4].tolist()
        return [(entries[place].fd, mask) for place, mask in enumerate(told) if mask]


class Engine(Driver):
    """One thread, one array."""

    poller = PpollPoller
