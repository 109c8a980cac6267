"""PURE: framers find messages, and the identity of each, in the bytes of one direction of a connection.

One file per protocol; adding one is adding a file and its line in `_STREAMS` and `_DATAGRAMS`.
"""

from __future__ import annotations

from collections.abc import Callable

from chaos.framers import msgpackrpc, oncrpc
from chaos.framers.message import Framer, Message
from chaos.framers.shells import DatagramFramer, Identify, Splitter, StreamFramer

__all__ = ["Framer", "Message", "framer"]

_STREAMS: dict[str, Callable[[], Splitter]] = {"xdr": oncrpc.Records, "msgpack": msgpackrpc.Values}
_DATAGRAMS: dict[str, Callable[[], Identify]] = {
    "xdr": lambda: oncrpc.identify,
    "msgpack": lambda: msgpackrpc.Reader().identify,
}


def framer(codec: str, transport: str) -> Framer:
    """A fresh one, for one direction of one connection. Raises KeyError for an unknown codec or transport."""
    makers: dict[str, Callable[[], Framer]] = {
        "tcp": lambda: StreamFramer(_STREAMS[codec]()),
        "udp": lambda: DatagramFramer(_DATAGRAMS[codec]()),
    }
    return makers[transport]()
