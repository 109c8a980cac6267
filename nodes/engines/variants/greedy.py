"""Serves one connection for as long as there is anything to read on it (epoll(7), "Starvation").

Nothing shows while each connection has its pauses. Beside one that has none nobody
has a turn, nor has the orchestrator.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import Any

from nodes import ops
from nodes.engines.common.endpoint import ReadinessEndpoint
from nodes.engines.common.readiness import Driver


class Greedy(ReadinessEndpoint):
    """Never armed, so that each receive is tried before anything is waited for."""

    __slots__ = ()

    armed = property(lambda self: False, lambda self, _: None)


class Variant(Driver):
    budget = sys.maxsize

    def _enter(
        self, raw: socket.socket, receive: Callable[[int], Any], local: ops.Address, peer: ops.Address | None
    ) -> ReadinessEndpoint:
        super()._enter(raw, receive, local, peer)
        endpoint = self._endpoints[raw.fileno()] = Greedy(raw, receive, local, peer)
        return endpoint
