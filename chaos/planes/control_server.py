"""A process's control endpoint on the relay's loop: one orchestrator, which proves itself before it is obeyed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from chaos.planes.loop import Loop
from chaos.planes.reception import Proved, Reception
from chaos.planes.stream import Stream
from nodes import control
from nodes.log import say
from nodes.visitors import AWAITING_ONE

Obey = Callable[[dict[str, Any]], dict[str, Any]]
BACKLOG = 64


class ControlServer:
    """Listens at `host` until somebody proves itself; the loop stops when that connection ends, or after `stop`.

    `obey` returns the body of the answer, or raises ValueError, whose text becomes the refusal.
    """

    def __init__(self, loop: Loop, host: str, token: bytes, obey: Obey) -> None:
        self.loop = loop
        self._obey = obey
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.bind((host, 0))
        listener.listen(BACKLOG)
        self.address: tuple[str, int] = listener.getsockname()
        self._reception = Reception(loop, listener, token, AWAITING_ONE, self._proved, say)

    def _proved(self, proved: Proved) -> None:
        """There is one orchestrator: nobody else is listened to any more."""
        self._reception.close()
        Orchestrator(self, proved)

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["type"] == "stop":
            self.loop.stop()
            return control.answer(command, {})
        try:
            return control.answer(command, self._obey(command))
        except ValueError as error:
            return control.refusal(command, str(error))


class Orchestrator:
    """The connection of who has proved itself; the loop stops with it."""

    def __init__(self, server: ControlServer, proved: Proved) -> None:
        self._server = server
        self._endpoint = proved.endpoint
        self.stream = Stream(server.loop, proved.socket, self)
        self.stream.read(True)
        self._answer(proved.messages)

    def connected(self, stream: Stream) -> None:
        """Accepted connections are so from the start."""

    def data(self, stream: Stream, data: bytes) -> None:
        try:
            commands = self._endpoint.receive(data)
        except control.ControlError as error:
            stream.send(self._endpoint.outgoing())
            self._leave(str(error))
            return
        self._answer(commands)

    def end(self, stream: Stream) -> None:
        ended = self._endpoint.ended()
        self._leave(str(ended) if ended else None)

    def lost(self, stream: Stream) -> None:
        self.end(stream)

    def drained(self, stream: Stream) -> None:
        """Answers are small; nothing waits for them."""

    def _answer(self, commands: list[dict[str, Any]]) -> None:
        for command in commands:
            self.stream.send(self._endpoint.send(self._server.answer(command)))

    def _leave(self, reason: str | None) -> None:
        if reason is not None:
            say(reason)
        self.stream.close()
        self._server.loop.stop()
