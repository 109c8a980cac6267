"""PURE: framers find messages, and the identity of each, in the bytes of a connection, in each direction.

One file a protocol, found by its `PROTOCOL`; adding one is adding that file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from chaos.framers.message import Framer, Message
from chaos.framers.shells import DatagramFramer, StreamFramer, WireProtocol
from chaos.identity import Direction
from nodes.registry import modules
from nodes.wire.transports import TRANSPORTS

__all__ = [
    "CODECS",
    "DATAGRAM_CODECS",
    "FOREIGN",
    "STREAM_CODECS",
    "Framer",
    "Framers",
    "Message",
    "framer",
    "framers",
    "identifies",
]

Framers = Mapping[Direction, Framer]


def _protocols() -> Iterator[WireProtocol]:
    for name in modules(__path__):
        protocol = getattr(import_module(f"{__name__}.{name}"), "PROTOCOL", None)
        if protocol is not None:
            yield protocol


_PROTOCOLS = {protocol.codec: protocol for protocol in _protocols()}

CODECS = tuple(_PROTOCOLS)

STREAM_CODECS = frozenset(codec for codec, protocol in _PROTOCOLS.items() if protocol.datagrams is None)
"""Those that only streams carry."""
DATAGRAM_CODECS = frozenset(codec for codec, protocol in _PROTOCOLS.items() if protocol.streams is None)
"""Those that no stream carries."""

FOREIGN = tuple(codec for codec, protocol in _PROTOCOLS.items() if protocol.foreign)
"""Those of systems that are not ours."""


def framers(codec: str, transport: str, member: int = 0) -> Framers:
    """Fresh ones, for both directions of one connection. Raises KeyError for an unknown codec or transport.

    `member`: before which member of the group they stand, of those to which requests are sent.
    """
    protocol = _PROTOCOLS[codec]
    return _datagrams(protocol, member) if TRANSPORTS[transport].bounded else _stream(protocol)


def framer(codec: str, transport: str) -> Framer:
    """A fresh one for one direction, of a protocol whose directions can be read alone. Raises KeyError."""
    return framers(codec, transport)["request"]


def identifies(codec: str) -> bool:
    """Whether its messages name the operation of a client that speaks it."""
    return _PROTOCOLS[codec].identifies


def _stream(protocol: WireProtocol) -> Framers:
    if protocol.streams is None:
        raise KeyError(f"{protocol.codec} over a stream")
    requests, replies = protocol.streams()
    decisions = protocol.decisions
    return {"request": StreamFramer(requests, decisions), "reply": StreamFramer(replies, decisions)}


def _datagrams(protocol: WireProtocol, member: int) -> Framers:
    if protocol.datagrams is None:
        raise KeyError(f"{protocol.codec} over udp")
    make = protocol.datagrams
    return {"request": DatagramFramer(make(member)), "reply": DatagramFramer(make(0))}
