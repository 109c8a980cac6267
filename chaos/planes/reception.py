"""Receives visitors at a control endpoint, on one loop without a thread, and hands over who has proved itself.

How many may stay and how long is in nodes/visitors.py. A visitor costs a descriptor, and where these run out the oldest
gives its own back.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from chaos.planes.loop import READ, Loop
from nodes import control, descriptors
from nodes.accepting import EXHAUSTED, PAUSE
from nodes.clock import now
from nodes.visitors import CROWDED, LATE, Sparing, Visitors, places

CHUNK = 65536


class Proved(NamedTuple):
    """A connection that is its taker's now, non-blocking; `messages` came with the proof. `who` is its address."""

    socket: socket.socket
    who: Any
    endpoint: control.Listener
    messages: list[dict[str, Any]]


class Reception:
    """Listens from its making until `close`; the listener belongs to it.

    `say` takes the lines that are to be said of visitors, `most` is their bound.
    """

    def __init__(
        self,
        loop: Loop,
        listener: socket.socket,
        token: bytes,
        most: int,
        proved: Callable[[Proved], None],
        say: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._listener = listener
        self._token = token
        self._proved = proved
        self._say = say
        self._sparing = Sparing()
        self._visitors: Visitors[Visitor] = Visitors(places(most, descriptors.limit()))
        self._again: int | None = None
        listener.setblocking(False)
        loop.watch(listener, READ, self._accept)
        loop.tickers.append(self)

    def close(self) -> None:
        """Nobody is received any more, and no visitor stays. Closing twice is allowed."""
        for visitor in self._visitors:
            self._end(visitor)
        if self in self._loop.tickers:
            self._loop.tickers.remove(self)
        self._loop.close(self._listener)

    def next_time(self) -> int | None:
        times = [time for time in (self._again, self._visitors.next_time()) if time is not None]
        return min(times, default=None)

    def tick(self, now: int) -> None:
        if self._again is not None and self._again <= now:
            self._again = None
            self._loop.watch(self._listener, READ, self._accept)
        for visitor in self._visitors.overdue(now):
            self._send_away(visitor, None if visitor.silent else LATE)

    def _accept(self, events: int) -> None:
        try:
            sock, who = self._listener.accept()
        except OSError as error:
            if error.errno in EXHAUSTED:
                self._make_room(error)
            return  # else whoever connected has gone again
        visitor = Visitor(sock, who, control.Listener(self._token, os.urandom(control.NONCE_SIZE)))
        gone = self._visitors.enter(visitor, now())
        if gone is not None:
            self._send_away(gone, CROWDED)
        self._loop.watch(sock, READ, lambda events: self._hear(visitor))
        visitor.flush()

    def _make_room(self, error: OSError) -> None:
        """The connection waits in the backlog until then."""
        self._tell(None, f"a connection cannot be accepted: {error.strerror}")
        oldest = self._visitors.oldest()
        if oldest is not None:
            self._send_away(oldest, None)
            return
        self._loop.watch(self._listener, 0, self._accept)
        self._again = now() + PAUSE

    def _hear(self, visitor: Visitor) -> None:
        try:
            messages = visitor.hear()
        except BlockingIOError:
            return
        except (control.ControlError, OSError) as error:
            self._send_away(visitor, None if visitor.silent else str(error))
            return
        if visitor.endpoint.state is control.State.OPEN:
            self._leave(visitor)
            self._proved(Proved(visitor.socket, visitor.who, visitor.endpoint, messages))

    def _send_away(self, visitor: Visitor, reason: str | None) -> None:
        if reason is not None:
            self._tell(visitor, reason)
        self._end(visitor)

    def _end(self, visitor: Visitor) -> None:
        self._leave(visitor)
        visitor.flush()
        visitor.close()

    def _leave(self, visitor: Visitor) -> None:
        self._visitors.leave(visitor)
        self._loop.watch(visitor.socket, 0, self._accept)

    def _tell(self, visitor: Visitor | None, text: str) -> None:
        whose = "" if visitor is None else f"{_place(visitor.who)}: "
        for line in self._sparing.lines(whose + text, now()):
            self._say(line)


class Visitor:
    """`silent`: it has said nothing yet; one that only looks whether somebody listens is not spoken of."""

    def __init__(self, sock: socket.socket, who: Any, endpoint: control.Listener) -> None:
        self.socket = sock
        self.who = who
        self.endpoint = endpoint
        self.silent = True
        sock.setblocking(False)

    def hear(self) -> list[dict[str, Any]]:
        """Read once -> what came with the proof. Raises OSError, ControlError: it is no visitor any more."""
        data = self.socket.recv(CHUNK)
        if not data:
            raise self.endpoint.ended() or control.Ended("it closed the connection")
        self.silent = False
        messages = self.endpoint.receive(data)
        self.flush()
        return messages

    def flush(self) -> None:
        """The handshake's frames are smaller than any socket's buffer; who lets that fill takes no part in it."""
        try:
            self.socket.send(self.endpoint.outgoing())
        except OSError:
            pass  # it has gone, and reading says so

    def close(self) -> None:
        """The end of file comes before the reset that unread bytes would be answered with."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has gone
        self.socket.close()


def _place(who: Any) -> str:
    host, port = who[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
