"""Requests that a TCP link sends on connections of its own."""

from __future__ import annotations

import socket
from collections import deque

from chaos.hop.notes import Notes
from chaos.planes.loop import Loop
from chaos.planes.stream import Stream
from nodes.wire.addresses import Internet

AT_ONCE = 16
"""Connections of a link that carry one injected request each. Of those beyond, one whose request was handed over ends
before its reply comes (which is discarded anyway); where there is none, the next request waits."""

_NO_SOCKET = "no descriptor for an injected request, which is lost"


class Injections:
    """Of one link. `unsent` says how many requests have yet to be handed over."""

    def __init__(self, loop: Loop, notes: Notes) -> None:
        self._loop = loop
        self._notes = notes
        self._open: dict[Injection, None] = {}
        self._waiting: deque[tuple[bytes, Internet]] = deque()

    @property
    def unsent(self) -> int:
        return len(self._waiting) + sum(injection.stream.unsent > 0 for injection in self._open)

    def send(self, data: bytes, upstream: Internet) -> None:
        self._waiting.append((data, upstream))
        self.go_on()

    def forget(self) -> None:
        """The upstream is down: what waits is lost with what is on its way."""
        self._waiting.clear()

    def ended(self, injection: Injection) -> None:
        self._open.pop(injection, None)
        self.go_on()

    def go_on(self) -> None:
        while self._waiting and (len(self._open) < AT_ONCE or self._end_one()):
            data, upstream = self._waiting.popleft()
            try:
                sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            except OSError:
                self._notes.cut_off(_NO_SOCKET)
                continue
            self._notes.within(_NO_SOCKET)
            self._open[Injection(self, self._loop, sock, data, upstream)] = None

    def _end_one(self) -> bool:
        handed_over = next((injection for injection in self._open if not injection.stream.unsent), None)
        if handed_over is None:
            return False
        del self._open[handed_over]
        handed_over.stream.close()
        return True


class Injection:
    """One request over a connection of the relay's own: whatever comes back first is the reply, and ends it."""

    def __init__(
        self, injections: Injections, loop: Loop, sock: socket.socket, data: bytes, upstream: Internet
    ) -> None:
        self._injections = injections
        self.stream = Stream(loop, sock, self)
        self.stream.connect(upstream)
        self.stream.send(data)

    def connected(self, stream: Stream) -> None:
        stream.read(True)
        if not stream.unsent:
            self._injections.go_on()

    def data(self, stream: Stream, data: bytes) -> None:
        self.end(stream)

    def end(self, stream: Stream) -> None:
        stream.close()
        self._injections.ended(self)

    def lost(self, stream: Stream) -> None:
        self._injections.ended(self)

    def drained(self, stream: Stream) -> None:
        """Nothing is read that would have to wait."""
