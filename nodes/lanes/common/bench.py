"""One wait for one message, and what was seen of it.

The peer is a process of its own. It sends after a while, and its message says when: clocks of one machine are one
(CLOCK_MONOTONIC, clock_gettime(2)).
"""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import socket
import struct
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, TypeVar

from nodes.units import MILLISECOND

SIZE = 1024
DELAY = 60 * MILLISECOND
"""Until the message is sent: long beside what a system takes to let somebody go on."""
PATIENCE = 10_000 * MILLISECOND
_UNIT = bytes(16_384)
_WHEN = struct.Struct("=q")

Kind = Literal["blocked", "tries", "work"]
Result = TypeVar("Result")


class Overdue(Exception):
    """No message came in PATIENCE."""


class Bench:
    """`socket`: this end of a TCP connection over loopback. A context manager, which ends the peer."""

    def __init__(self) -> None:
        self.socket, far = _connected()
        self.marks: dict[str, int] = {}
        self.spans: list[tuple[Kind, int, int]] = []
        self.tries = self.units = 0
        self.copied = self.blocking = False
        self._peer = os.fork()
        if not self._peer:
            _send(far, self.socket)
        far.close()

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self.socket.close()
        os.kill(self._peer, signal.SIGKILL)
        os.waitpid(self._peer, 0)

    # --- what a lane marks ---

    def call(self) -> None:
        """From now on it wants the message, which the peer sends after DELAY."""
        self.socket.send(b"!")
        self._usage = resource.getrusage(resource.RUSAGE_SELF)
        self.marks["called"] = time.monotonic_ns()
        self.deadline = self.marks["called"] + PATIENCE

    def returned(self) -> None:
        """Control is back, for the first time."""
        self.marks.setdefault("returned", time.monotonic_ns())
        self.blocking = self.socket.getblocking() and os.get_blocking(self.socket.fileno())

    def notified(self, memory: bytes | bytearray = b"") -> None:
        """It is told. `memory`: where the message is to be."""
        self.marks["notified"] = time.monotonic_ns()
        self.copied = any(memory)

    def consumed(self, message: bytes | bytearray) -> None:
        """It has the message. Raises ValueError for another one."""
        usage, begun = resource.getrusage(resource.RUSAGE_SELF), self._usage
        self.marks["consumed"] = time.monotonic_ns()
        if len(message) != SIZE:
            raise ValueError(f"{len(message)} bytes came; a message has {SIZE}")
        (self.marks["ready"],) = _WHEN.unpack_from(message)
        self.cpu = round((usage.ru_utime + usage.ru_stime - begun.ru_utime - begun.ru_stime) * 1e9)
        self.voluntary, self.involuntary = usage.ru_nvcsw - begun.ru_nvcsw, usage.ru_nivcsw - begun.ru_nivcsw

    def blocked(self, call: Callable[..., Result], *arguments: Any) -> Result:
        """What `call` returns; the thread does nothing else meanwhile."""
        begun = time.monotonic_ns()
        try:
            return call(*arguments)
        finally:
            self._span("blocked", begun)

    def tried(self, begun: int) -> None:
        """A call that began then said EAGAIN. Raises Overdue."""
        self.tries += 1
        self._span("tries", begun)
        self._check()

    def work(self) -> None:
        """One unit of something useful. Raises Overdue."""
        begun = time.monotonic_ns()
        hashlib.blake2b(_UNIT).digest()
        self.units += 1
        self._span("work", begun)
        self._check()

    def _span(self, kind: Kind, begun: int) -> None:
        """One that goes on is made longer."""
        now = time.monotonic_ns()
        if self.spans and self.spans[-1][0] == kind:
            begun = self.spans.pop()[1]
        self.spans.append((kind, begun, now))

    def _check(self) -> None:
        if time.monotonic_ns() > self.deadline:
            raise Overdue


def _connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    return near, far


def _send(far: socket.socket, near: socket.socket) -> None:
    """The peer's process, which never goes back: it is ended, or ends with the connection."""
    try:
        near.close()
        if not far.recv(1):
            return
        time.sleep(DELAY / 1e9)
        far.sendall(_WHEN.pack(time.monotonic_ns()).ljust(SIZE, b"."))
        far.recv(1)
    finally:
        os._exit(0)
