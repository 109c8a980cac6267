"""What engines on the BSD socket interface share: how sockets are made and what they say of themselves."""

from __future__ import annotations

import errno
import os
import socket

from nodes.ops import Address

ABORTED = "the socket was closed by another program"


def aborted() -> ConnectionAbortedError:
    """What an operation on a closed socket ends with."""
    return ConnectionAbortedError(errno.ECONNABORTED, ABORTED)


def refused() -> ConnectionRefusedError:
    return ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))


def family(address: Address) -> socket.AddressFamily:
    """IPv6 for a literal with colons; names and everything else are IPv4."""
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET


def listener(address: Address, backlog: int) -> socket.socket:
    """A listening stream socket. SO_REUSEADDR: a restarted node gets its port back despite TIME_WAIT."""
    raw = socket.socket(family(address), socket.SOCK_STREAM)
    try:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        raw.bind(address)
        raw.listen(backlog)
    except OSError:
        raw.close()
        raise
    return raw


def datagram(address: Address) -> socket.socket:
    """A bound, unconnected datagram socket."""
    raw = socket.socket(family(address), socket.SOCK_DGRAM)
    try:
        raw.bind(address)
    except OSError:
        raw.close()
        raise
    return raw


def stream(address: Address) -> socket.socket:
    """An unconnected stream socket for connecting to `address`."""
    raw = socket.socket(family(address), socket.SOCK_STREAM)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return raw


def local_of(raw: socket.socket) -> Address:
    host, port = raw.getsockname()[:2]
    return host, port


def peer_of(raw: socket.socket) -> Address:
    """Raises OSError (ENOTCONN) if the socket is not connected, or no longer."""
    host, port = raw.getpeername()[:2]
    return host, port


def refuse_self(local: Address, peer: Address) -> None:
    """Raise ConnectionRefusedError for a connection of a socket to itself.

    Connecting to a local port where nobody listens can pick that very port as its own and then succeed by
    TCP's simultaneous open (RFC 9293, 3.5). A client that retries a dead server would talk to itself.
    """
    if local == peer:
        raise refused()
