"""What a probe of readiness works with: the subject, sockets, and what was told at each step."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from nodes.probes.common import settled, sockets
from nodes.probes.common.masks import names
from nodes.probes.common.probe import PATIENCE_NS, Observation, Value
from nodes.probes.common.sockets import Sockets
from nodes.probes.common.subject import Subject
from nodes.probes.common.trace import Trace


class HasFileno(Protocol):
    def fileno(self) -> int: ...


class Common:
    """Of a poller and of a ring. `seen` is the observation."""

    def __init__(self, trace: Trace) -> None:
        self.note = trace.note
        self.sockets = Sockets()
        self.seen: Observation = {}

    def saw(self, step: str, value: Value) -> None:
        """What this step showed. A step has one value."""
        if step in self.seen:
            raise ValueError(f"step {step!r} twice")
        self.seen[step] = value
        self.note(f"{step}: {said(value)}")

    def tried(self, step: str, act: Callable[[], Any], done: str = "done") -> None:
        """The name of the error that it raises, or `done`."""
        self.saw(step, outcome(act, done))

    def received(self, step: str, sock: socket.socket, count: int, flags: int = 0) -> None:
        """How many bytes a receive gives, or its error's name."""
        try:
            self.saw(step, f"{len(sock.recv(count, flags))} bytes")
        except OSError as error:
            self.saw(step, error_name(error))

    def timed(self, act: Callable[[], object]) -> int:
        """Nanoseconds that it takes. For comparison with what was asked for; never told as a number."""
        began = time.monotonic_ns()
        act()
        return time.monotonic_ns() - began

    def pair(self, **buffers: int) -> tuple[socket.socket, socket.socket]:
        return self.sockets.pair(**buffers)

    def send(self, peer: socket.socket, count: int, to: socket.socket) -> None:
        """The peer sends so many bytes, and they have arrived, beside what was there."""
        before = _waiting(to)
        self.note(f"the peer sends {count} bytes")
        peer.send(bytes(count))
        settled.arrived(to, before + count)

    def deliver(self, peer: socket.socket, count: int) -> None:
        """The peer sends so many bytes to who cannot be looked at, and that has acknowledged them."""
        self.note(f"the peer sends {count} bytes")
        peer.send(bytes(count))
        settled.acknowledged(peer)

    def read(self, sock: socket.socket, count: int) -> None:
        self.note(f"{count} bytes are read")
        left = count
        while left:
            left -= len(sock.recv(left))

    def end(self, peer: socket.socket, of: socket.socket) -> None:
        """The peer shuts its side, and that has arrived."""
        self.note("the peer shuts its side")
        peer.shutdown(socket.SHUT_WR)
        settled.ended(of)

    def reset(self, peer: socket.socket, of: socket.socket) -> None:
        """The peer resets the connection, and that has arrived."""
        self.note("the peer resets")
        sockets.reset(peer)
        settled.broken(of)

    def close(self) -> None:
        self.sockets.close()


class Bench(Common):
    """The subject's poller is `poller`; a probe that needs another makes it of `subject`."""

    def __init__(self, subject: Subject, trace: Trace) -> None:
        super().__init__(trace)
        self.subject = subject
        self.poller = subject.make()
        self._asked: dict[int, int] = {}

    @property
    def name(self) -> str:
        return self.subject.name

    def watch(self, what: HasFileno | int, interest: int) -> None:
        """Asks for as much of it as may be asked of the subject."""
        fd = what if isinstance(what, int) else what.fileno()
        asked = self._asked[fd] = interest & self.subject.askable
        self.note(f"{self.name} is asked for {' '.join(names(asked))} of {self._called(fd)}")
        self.poller.register(fd, asked)

    def again(self, what: HasFileno) -> None:
        """The same is asked for anew: `modify`."""
        fd = what.fileno()
        self.note(f"{self.name} is asked anew for {' '.join(names(self._asked[fd]))}")
        self.poller.modify(fd, self._asked[fd])

    def _called(self, fd: int) -> str:
        watched = list(self._asked)
        return "it" if watched == [fd] else f"number {watched.index(fd) + 1}"

    def wait(self, patience_ns: int | None = PATIENCE_NS) -> list[tuple[int, int]]:
        """One wait of the subject: (descriptor, bits)."""
        return self.poller.wait(patience_ns)

    def told(self, step: str) -> None:
        """What one wait tells of all that is watched, which is one descriptor where it matters."""
        self.saw(step, self.waited())

    def waited(self, of: int | None = None, patience_ns: int = PATIENCE_NS) -> Value:
        """What one wait tells, of that descriptor or of all; an error's name if it raises one."""
        try:
            found = self.wait(patience_ns)
        except (OSError, ValueError) as error:
            return error_name(error)
        mask = 0
        for fd, bits in found:
            if of is None or fd == of:
                mask |= bits
        return names(mask)

    def close(self) -> None:
        """Sockets first: what a poller still has of them goes with them."""
        super().close()
        with suppress(OSError):
            self.poller.close()


def _waiting(sock: socket.socket) -> int:
    """How much is there to be read."""
    try:
        return len(sock.recv(1 << 20, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return 0


def outcome(act: Callable[[], Any], done: str = "done") -> str:
    try:
        act()
    except (OSError, ValueError) as error:
        return error_name(error)
    return done


def error_name(error: OSError | ValueError) -> str:
    """Such as ECONNRESET."""
    number = getattr(error, "errno", None)
    return errno.errorcode.get(number, str(error)) if isinstance(number, int) else type(error).__name__


def said(value: Value) -> str:
    """As a trace and a table have it."""
    if isinstance(value, list):
        return " ".join(value) or "nothing"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
