"""What an engine's handle on a socket holds: of every engine, and of those that wait for readiness."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from nodes import ops
from nodes.engines.common import sockets

if TYPE_CHECKING:
    from nodes.engines.common.tasks import Timed


class Endpoint(ops.Socket):
    """An open descriptor. `fd` stays its number after it is `closed`."""

    __slots__ = ("closed", "fd", "raw")

    def __init__(self, raw: socket.socket, local: ops.Address, peer: ops.Address | None) -> None:
        self.raw = raw
        self.fd = raw.fileno()
        self.local = local
        self.peer = peer
        self.closed = False


class ReadinessEndpoint(Endpoint):
    """`receive` and `send` are the raw calls; `retry` completes the writer's operation.

    `armed`: an event will announce what comes, and there is nothing that no event announces any more. `drains`: a
    receive of less than it asked for shows that it is (`Poller.tells_end`).
    """

    __slots__ = ("armed", "drains", "interest", "reader", "receive", "retry", "send", "size", "writer")

    def __init__(
        self, raw: socket.socket, receive: Callable[[int], Any], local: ops.Address, peer: ops.Address | None
    ) -> None:
        super().__init__(raw, local, peer)
        self.armed = False
        self.drains = False
        self.interest = 0
        self.receive = receive
        self.size = 0
        self.reader: Timed | None = None
        self.send: Callable[[bytes], int] = raw.send
        self.retry: Callable[[], Any] | None = None
        self.writer: Timed | None = None


def closed_send(_data: bytes) -> NoReturn:
    """What `send` is after Close."""
    raise sockets.aborted()
