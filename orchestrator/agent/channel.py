"""The agent's end of one connection: blocking, over TCP, proven before anything is obeyed."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

from nodes.control import NONCE_SIZE, Listener, State
from nodes.wire.frames import encode

HANDSHAKE_SECONDS = 5.0
_CHUNK = 65536

Message = dict[str, Any]


class Channel:
    """One accepted connection. `messages` is for one thread, `send` for any."""

    def __init__(self, connection: socket.socket, token: bytes) -> None:
        self.socket = connection
        self._listener = Listener(token, os.urandom(NONCE_SIZE))
        self._lock = threading.Lock()
        self.silent = True
        """Whether the other side has said nothing yet: one that only looks whether somebody listens."""

    def messages(self) -> Iterator[Message]:
        """What the other side says, from its proof on, until it ends the connection. Raises ControlError, OSError."""
        self.socket.settimeout(HANDSHAKE_SECONDS)
        self._flush()
        while data := self.socket.recv(_CHUNK):
            self.silent = False
            try:
                messages = self._listener.receive(data)
            finally:
                self._flush()
            if self._listener.state is State.OPEN:
                self.socket.settimeout(None)
            yield from messages
        if (ended := self._listener.ended()) is not None:
            raise ended

    def send(self, message: Message) -> None:
        """Raises ControlError, OSError."""
        data = self._listener.send(message)
        with self._lock:
            self.socket.sendall(data)

    def refuse(self, reason: str) -> None:
        """The last that is said on it (rule 3 of nodes/control.py)."""
        with self._lock:
            self.socket.sendall(encode({"refused": reason[:300]}))

    def _flush(self) -> None:
        if data := self._listener.outgoing():
            with self._lock:
                self.socket.sendall(data)

    def close(self) -> None:
        """End the connection; `messages` in another thread ends with it. Closing twice is allowed."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
        self.socket.close()
