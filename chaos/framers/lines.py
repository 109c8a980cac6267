"""PURE: messages of sockets on a stream, one a line (nodes/wire/messages.py)."""

from __future__ import annotations

from chaos.framers.shells import WireProtocol
from chaos.framers.socket_messages import Pieces
from nodes.wire.messages import Lines

PROTOCOL = WireProtocol("lines", lambda: (Pieces(Lines()), Pieces(Lines())))
