"""PURE: messages of sockets, each a datagram (nodes/wire/messages.py)."""

from __future__ import annotations

from functools import partial

from chaos.framers.shells import WireProtocol
from chaos.framers.socket_messages import identify

PROTOCOL = WireProtocol("datagrams", None, lambda member: partial(identify, member=member))
