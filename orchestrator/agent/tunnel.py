"""Two connections joined to one: what comes on either goes out on the other, until one side ends it."""

from __future__ import annotations

import socket

from orchestrator.backends.threads import start

_CHUNK = 65536


def join(left: socket.socket, right: socket.socket) -> None:
    """Returns when both directions have ended; `right` is closed then. Raises NoThread."""
    with right:
        back = start(_pour, "a tunnel", right, left)
        _pour(left, right)
        back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    """Until the source ends. A control connection has no half-open state: its end is the end of both directions."""
    try:
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    except OSError:
        pass  # a reset ends it like any other end
    for one in (source, sink):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already
