"""Signals as pollers have them: held back until the wait, or taken one by one instead of being delivered."""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
from collections.abc import Sequence
from ctypes import POINTER

from nodes.engines.common import libc

if sys.platform != "win32":
    import fcntl

_SETSIG, _SETOWN_EX, _OWNER_TID = 10, 15, 0  # fcntl(2), Linux

HELD = (signal.SIGINT, signal.SIGTERM)
"""What a poller with a signal mask of its own lets in while it waits, and at no other time."""


class Held:
    """Keeps HELD from this thread, until `release`. `mask` is the one to wait with, which lets them in (pselect(2)).

    A signal that comes between the last look and the wait ends the wait, and not only what comes after.
    """

    def __init__(self) -> None:
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
        self.mask = libc.sigset(self._before)

    def admit(self) -> None:
        """After a wait that something ended: one that waits no time at all lets no signal in."""
        if not signal.sigpending().isdisjoint(HELD):
            self.release()
            signal.pthread_sigmask(signal.SIG_BLOCK, HELD)

    def release(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)


class Taken:
    """These signals, of this thread, come by `take` (sigtimedwait(2)) until `release`."""

    def __init__(self, signals: Sequence[int]) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)  # one that comes after `release` kills nobody; `take` gets it even so
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        self._set, self.info = libc.sigset(signals), libc.Siginfo()
        pointers = POINTER(libc.Sigset), POINTER(libc.Siginfo), POINTER(libc.Timespec)
        self._sigtimedwait = libc.function("sigtimedwait", *pointers)

    def take(self, timeout_ns: int | None) -> int:
        """-> the next one's number, with `info` about it; 0 if none came. None waits for ever."""
        return self._sigtimedwait(self._set, self.info, libc.timespec(timeout_ns))

    def release(self) -> None:
        while self.take(0):
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)


def announce(fd: int, number: int) -> None:
    """From now on this thread gets the signal `number` for each change of the non-blocking `fd` (O_ASYNC, fcntl(2))."""
    fcntl.fcntl(fd, _SETSIG, number)
    fcntl.fcntl(fd, _SETOWN_EX, struct.pack("ii", _OWNER_TID, threading.get_native_id()))
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC)


def silence(fd: int) -> None:
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK)
