"""Settings of a control connection that goes over a network."""

from __future__ import annotations

import socket


def keep_alive(connection: socket.socket) -> None:
    """Notice within about 15 s that the other side's host is gone (tcp(7)), and send small messages at once.

    Probes are sent where nothing is on its way; what is, and is not acknowledged, has a time of its own.
    """
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 5), ("TCP_USER_TIMEOUT", 15_000)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
