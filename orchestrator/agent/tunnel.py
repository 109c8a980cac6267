"""Two connections joined to one: what comes on either goes out on the other, until one side ends it."""

from __future__ import annotations

import socket
import threading

_CHUNK = 65536


def join(left: socket.socket, right: socket.socket) -> None:
    """Returns when both directions have ended; both sockets are closed then."""
    with left, right:
        back = threading.Thread(target=_pour, args=(right, left), name="tunnel back", daemon=True)
        back.start()
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
