"""The orchestrator's end of the control connection to one process: blocking, over TCP."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Any

from nodes.control import NONCE_SIZE, Connector, ControlError, Ended, State

HANDSHAKE_SECONDS = 5.0
_CHUNK = 65536
_MOMENT = 0.001
"""Seconds; a timeout of none would be no timeout."""

Message = dict[str, Any]


class ControlClient:
    """A proven connection to a process.

    Making one shakes hands, within HANDSHAKE_SECONDS in all, and takes the connection over. Raises
    ControlError, whose text names the address: it is no Faultbed process, it does not know the token.
    """

    def __init__(self, connection: socket.socket, token: bytes) -> None:
        self._connector = Connector(token, os.urandom(NONCE_SIZE))
        self._early: list[Message] = []
        self._socket = connection
        self._where = _peer(connection)
        try:
            self._handshake()
        except ControlError as error:
            self._socket.close()
            raise type(error)(f"no control connection to {self._where}: {error}") from error

    def _handshake(self) -> None:
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            deadline = time.monotonic() + HANDSHAKE_SECONDS
            while self._connector.state is not State.OPEN:
                self._socket.settimeout(max(deadline - time.monotonic(), _MOMENT))
                self._early += self._receive()
            self._socket.settimeout(None)
        except OSError as error:
            raise Ended(f"the handshake was not finished: {error}") from error

    def _receive(self) -> list[Message]:
        data = self._socket.recv(_CHUNK)
        if not data:
            raise self._connector.ended() or Ended("the other side closed the control connection")
        try:
            return self._connector.receive(data)
        finally:
            if outgoing := self._connector.outgoing():
                self._socket.sendall(outgoing)

    def listen(self, take: Callable[[Message], None]) -> None:
        """Hand each message to `take`, in this thread, until the connection ends; then raise what ended it.

        Ended is an end like any other: the process closed, died, or `close` was called. Another ControlError means that
        the two sides do not understand each other.
        """
        try:
            for message in self._early:
                take(message)
            self._early.clear()
            while True:
                for message in self._receive():
                    take(message)
        except OSError as error:
            raise Ended(f"the control connection ended: {error}") from error
        finally:
            self._socket.close()

    def send(self, command: Message) -> None:
        """Send one command; from one thread at a time. Raises BadFrame if it is too large, Ended if too late."""
        data = self._connector.send(command)
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Ended(f"the control connection to {self._where} has ended: {error}") from error

    def discard(self) -> None:
        """End a connection to which nobody listens."""
        self._socket.close()

    def close(self) -> None:
        """End the connection; a `listen` in another thread returns from it. Closing twice is allowed."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already


def _peer(connection: socket.socket) -> str:
    try:
        host, port = connection.getpeername()[:2]
    except (OSError, ValueError):
        return "a process that has closed the connection"
    return f"{host}:{port}"
