"""A process's control endpoint on the relay's loop: one orchestrator, which proves itself before it is obeyed."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from chaos.planes.loop import READ, Loop
from chaos.planes.stream import Stream
from nodes import control

Obey = Callable[[dict[str, Any]], dict[str, Any]]


class ControlServer:
    """Listens at `host` until somebody proves itself; the loop stops when that connection ends, or after `stop`.

    `obey` returns the body of the answer, or raises ValueError, whose text becomes the refusal.
    """

    def __init__(self, loop: Loop, host: str, token: bytes, obey: Obey) -> None:
        self.loop = loop
        self._token = token
        self._obey = obey
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind((host, 0))
        self._listener.listen(8)
        self._listener.setblocking(False)
        self.address: tuple[str, int] = self._listener.getsockname()
        self._visitors: set[Visitor] = set()
        loop.watch(self._listener, READ, self._accept)

    def _accept(self, events: int) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:  # whoever connected has gone again
            return
        self._visitors.add(Visitor(self, sock, self._token))

    def proved(self, visitor: Visitor) -> None:
        """There is one orchestrator: nobody else is listened to any more."""
        self.loop.close(self._listener)
        for other in self._visitors - {visitor}:
            other.stream.close()
        self._visitors.clear()

    def left(self, visitor: Visitor) -> None:
        self._visitors.discard(visitor)

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["type"] == "stop":
            self.loop.stop()
            return control.answer(command, {})
        try:
            return control.answer(command, self._obey(command))
        except ValueError as error:
            return control.refusal(command, str(error))


class Visitor:
    """One connection to the control endpoint."""

    def __init__(self, server: ControlServer, sock: socket.socket, token: bytes) -> None:
        self._server = server
        self._endpoint = control.Listener(token, os.urandom(control.NONCE_SIZE))
        self.stream = Stream(server.loop, sock, self)
        self.stream.send(self._endpoint.outgoing())
        self.stream.read(True)

    @property
    def _proven(self) -> bool:
        return self._endpoint.state is control.State.OPEN

    def connected(self, stream: Stream) -> None:
        """Accepted connections are so from the start."""

    def data(self, stream: Stream, data: bytes) -> None:
        was_proven = self._proven
        try:
            commands = self._endpoint.receive(data)
        except control.ControlError as error:
            stream.send(self._endpoint.outgoing())
            self._leave(str(error), was_proven)
            return
        stream.send(self._endpoint.outgoing())
        if self._proven and not was_proven:
            self._server.proved(self)
        for command in commands:
            stream.send(self._endpoint.send(self._server.answer(command)))

    def end(self, stream: Stream) -> None:
        ended = self._endpoint.ended()
        self._leave(str(ended) if ended else None, self._proven)

    def lost(self, stream: Stream) -> None:
        self.end(stream)

    def drained(self, stream: Stream) -> None:
        """Answers are small; nothing waits for them."""

    def _leave(self, reason: str | None, was_proven: bool) -> None:
        if reason is not None:
            print(reason, file=sys.stderr, flush=True)
        self.stream.close()
        self._server.left(self)
        if was_proven:
            self._server.loop.stop()
