"""Signals that ask for an end (Ctrl-C, SIGTERM, SIGHUP), and how they reach cells that run in other threads.

Rules of this file:

1. One that is ignored stays so: SIGINT in a shell's background, SIGHUP under nohup(1).
2. While cells run the first one ends every session in order, wherever it strikes; the next one is raised.
3. The command ends with 128 and the signal's number, as a shell tells it.
4. The kernel may give a signal to any thread, above all one of two that come at once, and a main thread that waits is
   not woken by it (signal(7)): so another thread hears of every signal, and wakes it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from orchestrator.backends.threads import start

SIGNALS = tuple(
    getattr(signal, name)  # not every system has each
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
)

WAKE = signal.SIGURG if hasattr(signal, "SIGURG") else 0
"""Interrupts what a thread waits in, and says nothing: nobody else uses it, and by default it is ignored."""


class Interrupted(KeyboardInterrupt):
    """One of SIGNALS asked for an end; whoever knows Ctrl-C alone need not know more."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Interruptible(Protocol):
    """What can be interrupted, from any thread or signal handler."""

    def interrupt(self) -> None: ...


class Interrupts:
    """Every open session is interrupted by a signal, and none goes on that is opened after it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a handler may strike in the midst of `enter`
        self._open: set[Interruptible] = set()
        self.number: int | None = None
        """The first signal's."""

    @property
    def happened(self) -> bool:
        return self.number is not None

    def enter(self, session: Interruptible) -> None:
        with self._lock:
            self._open.add(session)
            if self.happened:
                session.interrupt()

    def leave(self, session: Interruptible) -> None:
        with self._lock:
            self._open.discard(session)

    def interrupt(self, number: int = signal.SIGINT) -> None:
        with self._lock:
            if self.number is None:
                self.number = number
            for session in list(self._open):
                session.interrupt()


def _ours() -> list[int]:
    """Those that are not ignored. Handlers can be set in the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        return []
    return [number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]


@contextmanager
def raising() -> Iterator[None]:
    """Every signal raises Interrupted in the main thread, wherever it is."""
    with _woken(), _handled(_raise):
        yield


@contextmanager
def first_waits(act: Callable[[int], None]) -> Iterator[None]:
    """The first signal is given to `act` and does no more; the next one raises Interrupted."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        for one in _ours():
            signal.signal(one, _raise)
        act(number)

    with _handled(interrupt):
        yield


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _ours()}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _raise(number: int, frame: FrameType | None) -> None:
    raise Interrupted(number)


@contextmanager
def _woken() -> Iterator[None]:
    """See rule 4."""
    if not _ours() or not hasattr(signal, "pthread_kill"):
        yield
        return
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    listener = start(_wake, "signals", readable, threading.get_ident())
    before = signal.signal(WAKE, lambda *_: None), signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before[1])
        signal.signal(WAKE, before[0])
        os.close(writable)
        listener.join()
        os.close(readable)


def _wake(readable: int, thread: int) -> None:
    while numbers := os.read(readable, 64):
        if set(numbers) != {WAKE}:
            signal.pthread_kill(thread, WAKE)
