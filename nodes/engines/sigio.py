"""Signal-driven I/O (O_ASYNC, fcntl(2), Linux): for each change of a socket a signal comes that says which it was."""

from __future__ import annotations

import select
import signal
from collections.abc import Iterable

from nodes.engines.common import libc, signals
from nodes.engines.common.poller import FAILED, Trigger
from nodes.engines.common.readiness import Driver

_AT_ONCE = 64  # signals taken before what they told of is looked at


def availability() -> str | None:
    return libc.missing("sigtimedwait")


class SigioPoller:
    """Nobody tells what is ready already, so `register` and `modify` look. Where more signals queue than the system
    keeps (RLIMIT_SIGPENDING), it sends a plain SIGIO instead, and every socket is looked at."""

    trigger = Trigger.EDGE
    tells_end = False

    def __init__(self) -> None:
        self._interests: dict[int, int] = {}
        self._ready: dict[int, int] = {}
        self._signals = signals.Taken((signal.SIGRTMIN, signal.SIGIO))
        self.close = self._signals.release

    def register(self, fd: int, interest: int) -> None:
        signals.announce(fd, signal.SIGRTMIN)
        self.modify(fd, interest)

    def modify(self, fd: int, interest: int) -> None:
        self._interests[fd] = interest
        self._look([fd])

    def unregister(self, fd: int) -> None:
        signals.silence(fd)
        self._interests.pop(fd)
        self._ready.pop(fd, None)

    def _look(self, fds: Iterable[int]) -> None:
        look = select.poll()
        for fd in fds:
            look.register(fd, self._interests[fd])
        self._ready |= look.poll(0)

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        timeout = 0 if self._ready else timeout_ns
        for _ in range(_AT_ONCE):
            number = self._signals.take(timeout)
            if not number:
                break
            fd, timeout = self._signals.info.fd, 0
            if number == signal.SIGIO:
                self._look(self._interests)
            elif fd in self._interests:
                mask = self._signals.info.band & (self._interests[fd] | FAILED)
                self._ready[fd] = self._ready.get(fd, 0) | mask
        ready, self._ready = self._ready, {}
        return list(ready.items())


class Engine(Driver):
    """One thread, which the signals are for."""

    poller = SigioPoller
