"""PURE: framers find messages, and the identity of each, in the bytes of a connection, in each direction.

One file per protocol; adding one is adding a file and its line in `_STREAMS` or `_DATAGRAMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chaos.faults import Direction
from chaos.framers import http1, msgpackrpc, oncrpc, resp
from chaos.framers.message import STREAM_DECISIONS, Framer, Message
from chaos.framers.shells import DatagramFramer, Identify, Splitter, StreamFramer

__all__ = ["STREAM_CODECS", "Framer", "Framers", "Message", "framer", "framers"]

Framers = Mapping[Direction, Framer]
Splitters = Callable[[], tuple[Splitter, Splitter]]

_STREAMS: dict[str, tuple[Splitters, frozenset[str]]] = {
    "xdr": (lambda: (oncrpc.Records(), oncrpc.Records()), STREAM_DECISIONS),
    "msgpack": (lambda: (msgpackrpc.Values(), msgpackrpc.Values()), STREAM_DECISIONS),
    "http1": (http1.splitters, http1.DECISIONS),
    "resp": (lambda: (resp.Values(), resp.Values()), resp.DECISIONS),
}
"""Codec -> what splits requests and replies of one connection, and what its protocol allows."""

_DATAGRAMS: dict[str, Callable[[], Identify]] = {
    "xdr": lambda: oncrpc.identify,
    "msgpack": lambda: msgpackrpc.Reader().identify,
}

STREAM_CODECS = frozenset(_STREAMS) - frozenset(_DATAGRAMS)
"""Those that only streams carry."""


def framers(codec: str, transport: str) -> Framers:
    """Fresh ones, for both directions of one connection. Raises KeyError for an unknown codec or transport."""
    return {"tcp": _stream, "udp": _datagrams}[transport](codec)


def framer(codec: str, transport: str) -> Framer:
    """A fresh one for one direction, of a protocol whose directions can be read alone. Raises KeyError."""
    return framers(codec, transport)["request"]


def _stream(codec: str) -> Framers:
    splitters, decisions = _STREAMS[codec]
    requests, replies = splitters()
    return {"request": StreamFramer(requests, decisions), "reply": StreamFramer(replies, decisions)}


def _datagrams(codec: str) -> Framers:
    make = _DATAGRAMS[codec]
    return {"request": DatagramFramer(make()), "reply": DatagramFramer(make())}
