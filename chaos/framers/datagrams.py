"""PURE: messages of sockets, each a datagram (nodes/wire/messages.py)."""

from __future__ import annotations

from chaos.framers.shells import WireProtocol
from chaos.framers.socket_messages import identify

PROTOCOL = WireProtocol("datagrams", None, lambda: identify)
