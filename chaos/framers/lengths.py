"""PURE: messages of sockets on a stream, each behind its length (nodes/wire/messages.py)."""

from __future__ import annotations

from chaos.framers.shells import WireProtocol
from chaos.framers.socket_messages import Pieces
from nodes.wire.messages import Lengths

PROTOCOL = WireProtocol("lengths", lambda: (Pieces(Lengths()), Pieces(Lengths())))
