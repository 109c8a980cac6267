"""Edge-triggered, and one receive for each event, as if that had taken all there was (epoll(7), "Possible pitfalls").

Nothing shows while what came fits into one receive. The rest waits until more comes, and an end that came with the data
is never seen.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from nodes import ops
from nodes.engines.common.endpoint import ReadinessEndpoint
from nodes.engines.common.poller import READABLE
from nodes.engines.common.readiness import Driver
from nodes.engines.common.tasks import Timed

BUFFER = 32
"""Bytes that a stream of the service receives at once: one message of a protocol, and not two."""


class Undrained(ReadinessEndpoint):
    """Armed for as long as it is registered, as only what is level-triggered is."""

    __slots__ = ()

    armed = property(lambda self: self.interest & READABLE != 0, lambda self, _: None)


class Variant(Driver):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        spawn = self._perform[ops.Spawn]

        def spawned(task: Timed, operation: ops.Spawn) -> Any:
            if (connection := operation.connection) is not None:
                _cut(connection)
            return spawn(task, operation)

        self._perform[ops.Spawn] = spawned

    def _enter(
        self, raw: socket.socket, receive: Callable[[int], Any], local: ops.Address, peer: ops.Address | None
    ) -> ReadinessEndpoint:
        endpoint = super()._enter(raw, receive, local, peer)
        if not raw.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):  # else its clients would depend on one another
            endpoint = self._endpoints[raw.fileno()] = Undrained(raw, receive, local, peer)
        return endpoint


def _cut(connection: Any) -> None:
    """Let a stream receive no more than BUFFER; the orchestrator's, which says what is to be served, is not cut."""
    if connection.raw.type == socket.SOCK_STREAM:
        connection.receive = partial(_received, connection.raw.recv)


def _received(receive: Callable[[int], bytes], size: int) -> bytes:
    return receive(min(size, BUFFER))
