"""The agent's end of one proven connection: blocking, over TCP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

from chaos.planes.reception import Proved
from nodes.wire.frames import encode

_CHUNK = 65536

Message = dict[str, Any]


class Channel:
    """`messages` is for one thread, `send` for any."""

    def __init__(self, proved: Proved) -> None:
        self.socket = proved.socket
        self._endpoint = proved.endpoint
        self._early = proved.messages
        self._lock = threading.Lock()
        self.socket.setblocking(True)

    def messages(self) -> Iterator[Message]:
        """What the other side says until it ends the connection. Raises ControlError, OSError."""
        yield from self._early
        while data := self.socket.recv(_CHUNK):
            try:
                messages = self._endpoint.receive(data)
            finally:
                self._flush()
            yield from messages
        if (ended := self._endpoint.ended()) is not None:
            raise ended

    def send(self, message: Message) -> None:
        """Raises ControlError, OSError."""
        data = self._endpoint.send(message)
        with self._lock:
            self.socket.sendall(data)

    def refuse(self, reason: str) -> None:
        """The last that is said on it (rule 3 of nodes/control.py)."""
        with self._lock:
            self.socket.sendall(encode({"refused": reason[:300]}))

    def _flush(self) -> None:
        if data := self._endpoint.outgoing():
            with self._lock:
                self.socket.sendall(data)

    def close(self) -> None:
        """End the connection; `messages` in another thread ends with it. Closing twice is allowed."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
        self.socket.close()
