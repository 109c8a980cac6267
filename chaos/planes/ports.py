"""TCP ports that stay a link's own, also while nobody listens."""

from __future__ import annotations

import socket
import sys

from nodes.wire.addresses import Internet, IPv4


def bound(address: Internet) -> socket.socket:
    """A TCP socket at `address`; it may be bound again as soon as nobody listens there. Raises OSError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":  # there the option would let strangers share the port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


class ReservedPort:
    """A free port at `host`, or the one that is asked for, by a bound socket that never listens.

    On Linux it stays open beside the listener and keeps the port while nobody listens: no other process gets it,
    and no client that connects to it is given the same port and so connects to itself. Elsewhere two sockets cannot
    be bound so, and the port is only probably free later.
    """

    def __init__(self, host: str, port: int = 0) -> None:
        self._socket = bound(IPv4(host, port))
        self.address: Internet = self._socket.getsockname()
        if sys.platform != "linux":
            self._socket.close()

    def close(self) -> None:
        self._socket.close()
