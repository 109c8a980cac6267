"""PURE: a socket server's side of one link: takes messages out of what it reads, and echoes each.

What is read of a stream may be a part of a message, or more than one. In which reads a message came, counted from 1 on
its connection, is journalled as it is received.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nodes.ops import Program
from nodes.rpc.peers import Peer
from nodes.rpc.serve import Endpoint
from nodes.sockets.codec import SocketCodec
from nodes.wire.messages import SPLITTERS, Splitter


class Taken(bytes):
    """A message, and in which reads it began and ended."""

    reads: tuple[int, int] = (0, 0)


class Counting:
    """Splits the reads of one connection, and counts them."""

    def __init__(self, splitter: Splitter) -> None:
        self._splitter = splitter
        self._reads = 0
        self._begun = 1

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._reads += 1
        for message in self._splitter.feed(data):
            taken = Taken(message)
            taken.reads = self._begun, self._reads
            self._begun = self._reads if self._splitter.kept else self._reads + 1
            yield taken


class CountingCodec(SocketCodec):
    """A server's."""

    def stream(self) -> Counting:
        return Counting(SPLITTERS[self.protocol]())


class SocketEndpoint(Endpoint):
    """Between a message's arrival and its receipt nothing yields, so its reads are those of the endpoint meanwhile."""

    _reads: tuple[int, int] | None = None

    def _message(self, data: bytes, peer: Peer) -> Program:
        self._reads = getattr(data, "reads", None)
        return super()._message(data, peer)

    def _receipt(self, peer: Peer, first: int, server: int) -> dict[str, Any]:
        said = super()._receipt(peer, first, server)
        return said if self._reads is None else {**said, "reads": list(self._reads)}
