"""pselect(2): select with a timeout in nanoseconds, and a signal mask that holds for the wait alone."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from ctypes import POINTER, c_int, c_void_p

from nodes.engines.common import fd_set, libc, signals
from nodes.engines.common.poller import READABLE, URGENT, WRITABLE, Trigger
from nodes.engines.common.readiness import Driver


def availability() -> str | None:
    return libc.missing("pselect")


class PselectPoller:
    """Its tables are two numbers, a descriptor's bit being 1 << fd. SIGINT and SIGTERM come only while it waits."""

    trigger = Trigger.LEVEL
    tells_end = False

    def __init__(self) -> None:
        self._reading = self._writing = self._urgent = 0
        self._held = signals.Held()
        pointers = [c_void_p] * 3
        self._pselect = libc.function("pselect", c_int, *pointers, POINTER(libc.Timespec), POINTER(libc.Sigset))
        self.close = self._held.release

    def register(self, fd: int, interest: int) -> None:
        """Raises OSError for a descriptor that the tables have no place for."""
        fd_set.check(fd)
        self.modify(fd, interest)

    def modify(self, fd: int, interest: int) -> None:
        self.unregister(fd)
        self._reading |= (interest & READABLE != 0) << fd
        self._writing |= (interest & WRITABLE != 0) << fd
        self._urgent |= (interest & URGENT != 0) << fd

    def unregister(self, fd: int) -> None:
        self._reading &= ~(1 << fd)
        self._writing &= ~(1 << fd)
        self._urgent &= ~(1 << fd)

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        reading, writing = _table(self._reading), _table(self._writing)
        urgent = _table(self._urgent) if self._urgent else None
        tables = (reading.buffer_info()[0], writing.buffer_info()[0], urgent and urgent.buffer_info()[0])
        count = (self._reading | self._writing | self._urgent).bit_length()
        if not self._pselect(count, *tables, libc.timespec(timeout_ns), self._held.mask):
            return []
        self._held.admit()
        ready = dict.fromkeys(_bits(reading), READABLE)
        for fd in _bits(writing):
            ready[fd] = ready.get(fd, 0) | WRITABLE
        for fd in _bits(urgent) if urgent else ():
            ready[fd] = ready.get(fd, 0) | URGENT
        return list(ready.items())


def _table(bits: int) -> array[int]:
    """An fd_set is an array of longs, whose bits count from the least significant one."""
    made = array("L", bits.to_bytes(fd_set.FD_SETSIZE // 8, "little"))
    if sys.byteorder == "big":
        made.byteswap()
    return made


def _bits(table: array[int]) -> Iterator[int]:
    if sys.byteorder == "big":
        table.byteswap()
    left = int.from_bytes(table, "little")
    while left:
        yield left.bit_length() - 1
        left ^= 1 << left.bit_length() - 1


class Engine(Driver):
    """One thread, and FD_SETSIZE descriptors."""

    poller = PselectPoller
