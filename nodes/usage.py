"""What this process used, as its system counts it. Not every system counts everything."""

from __future__ import annotations

import socket as sockets
import struct
from collections.abc import Collection, Iterable
from time import clock_gettime_ns, process_time_ns
from typing import Any

from nodes.ops import Socket
from nodes.samples import Spent

_SO_MEMINFO = 55
_MEMINFO = struct.Struct("@9I")  # linux/sock_diag.h, SK_MEMINFO_*; the last is what tcp_listendrop() counts
_OF_PROCESSES = 2  # a process's clock is ~pid << 3 | CPUCLOCK_SCHED (linux/posix-timers.h), as clock_getcpuclockid(3)
_MICROSECONDS = 1_000_000


class ProcessMeter:
    """`children` are processes that do a part of its work: their CPU is its own, whether they live or were reaped."""

    def __init__(self, children: Collection[int] = (), *, shared: bool = True) -> None:
        self.shared = shared
        self._children = children
        self._cpu = 0

    def spent(self) -> Spent:
        self._cpu = max(self._cpu, process_time_ns() + _reaped() + sum(map(_living, self._children)))
        return Spent(self._cpu, *_switches())

    def number(self, socket: Socket) -> int:
        handle: Any = socket
        number: int = handle.fd
        return number

    def overflows(self, listeners: Iterable[Socket]) -> int | None:
        handles: Iterable[Any] = listeners
        try:
            return sum(map(_dropped, [handle.raw for handle in handles]))
        except (OSError, struct.error):
            return None


def _dropped(listener: sockets.socket) -> int:
    told = listener.getsockopt(sockets.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
    drops: int = _MEMINFO.unpack(told)[-1]
    return drops


def _living(child: int) -> int:
    try:
        return clock_gettime_ns(~child << 3 | _OF_PROCESSES)
    except OSError:
        return 0  # it ends just now; what it used comes with those that were reaped


def _reaped() -> int:
    try:
        import resource  # not every system has it
    except ImportError:
        return 0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round((used.ru_utime + used.ru_stime) * _MICROSECONDS) * 1_000


def _switches() -> tuple[int | None, int | None]:
    try:
        import resource
    except ImportError:
        return None, None
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_nvcsw, used.ru_nivcsw
