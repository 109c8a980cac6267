"""Sockets on loopback, closed with the probe, and what peers do at theirs."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from typing import TypeVar

from nodes.wire.transports import NO_LINGER

HOST = "127.0.0.1"

Closable = TypeVar("Closable", bound=socket.socket)


class Sockets:
    """All that a probe opened, until `close`."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.close = self.stack.close

    def kept(self, sock: Closable) -> Closable:
        """A descriptor that a probe closed behind its back is closed already."""
        self.stack.callback(_close, sock)
        return sock

    def stream(self) -> socket.socket:
        sock = self.kept(socket.socket())
        sock.setblocking(False)
        return sock

    def datagrams(self) -> socket.socket:
        sock = self.kept(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.setblocking(False)
        return sock

    def listener(self, backlog: int = 8) -> socket.socket:
        listening = self.stream()
        listening.bind((HOST, 0))
        listening.listen(backlog)
        return listening

    def pair(self, **buffers: int) -> tuple[socket.socket, socket.socket]:
        """A connection over loopback TCP: (the end under observation, its peer), neither of which blocks.

        `buffers`: sizes, `send` of the one's and `receive` of the other's.
        """
        listening = self.listener()
        ours, theirs = self.stream(), None
        if "send" in buffers:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers["send"])
        if "receive" in buffers:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers["receive"])
        ours.setblocking(True)
        ours.connect(listening.getsockname())
        ours.setblocking(False)
        listening.setblocking(True)
        theirs = self.kept(listening.accept()[0])
        theirs.setblocking(False)
        for sock in (ours, theirs):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.close()
        return ours, theirs

    def refusing(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> tuple[str, int]:
        """An address where nobody listens, nor can begin to."""
        taken = self.kept(socket.socket(socket.AF_INET, kind))
        taken.bind((HOST, 0))
        host, port = taken.getsockname()
        if kind == socket.SOCK_DGRAM:  # whoever has the port gets what comes: it is another's who let it go
            taken.close()
        return host, port


def reset(sock: socket.socket) -> None:
    """Close it so that the peer gets a reset (RST)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    sock.close()


def _close(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.close()
