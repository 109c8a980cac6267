"""Closes a connection and does not deregister it, while a duplicate of its descriptor lives on (epoll(7), question 6).

The kernel goes on reporting what nobody can ask about any more, under a number that the next connection has. The peer
is told of the end all the same, so nothing shows but what the reports cost.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any

from nodes.engines.common.endpoint import ReadinessEndpoint
from nodes.engines.common.readiness import Driver

MOST = 4
"""Connections that it keeps so; of others it takes leave as one should, so that its descriptors suffice."""


class Variant(Driver):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._kept: list[int] = []

    def _discard(self, endpoint: ReadinessEndpoint) -> None:
        if endpoint.interest and endpoint.peer is not None and len(self._kept) < MOST:
            with suppress(OSError):  # there is no descriptor left for it
                self._kept.append(os.dup(endpoint.fd))
                endpoint.interest = 0  # as if it had been deregistered
                endpoint.raw.shutdown(socket.SHUT_RDWR)  # if its peer has not reset it
        super()._discard(endpoint)

    def _tear_down(self) -> None:
        super()._tear_down()
        while self._kept:
            os.close(self._kept.pop())
