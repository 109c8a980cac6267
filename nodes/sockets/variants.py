"""PURE: the broken variants of a socket server. None of them shows before a message comes in parts, with others,
or after one that was sent later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nodes.ops import Program
from nodes.rpc.codecs import Call
from nodes.rpc.mechanism import Waiter
from nodes.rpc.peers import Peer, StreamPeer
from nodes.sockets.endpoint import Counting, CountingCodec, SocketEndpoint
from nodes.wire.header import Status
from nodes.wire.messages import Piece, Splitter


class WholeRead(Splitter):
    """Takes a read for a message, and what stands at its ends for what says where it ends."""

    def __init__(self, protocol: str) -> None:
        super().__init__()
        self._front = 4 if protocol == "lengths" else 0

    def next(self) -> Piece | None:
        size = self.kept
        if not size:
            return None
        behind = not self._front and self._buffer.endswith(b"\n")
        return self._take(size, self._front, size - behind)


class ReadsAsMessages(CountingCodec):
    def stream(self) -> Counting:
        return Counting(WholeRead(self.protocol))


class LastFirst(CountingCodec):
    """Puts what came in one read on a stack, and takes it from there."""

    def stream(self) -> Counting:
        return Stack(super().stream())


class Stack(Counting):
    def __init__(self, counting: Counting) -> None:
        self._counting = counting

    def feed(self, data: bytes) -> Iterator[bytes]:
        return reversed(list(self._counting.feed(data)))


class RepeatsWhatCameSplit(SocketEndpoint):
    """Begins again with a message of which it had read a part."""

    def _answer(self, waiter: Waiter, call: Call, status: Status, value: Any) -> Program:
        begun, ended = self._reads or (0, 0)
        for _ in range(1 + (begun < ended)):
            yield from super()._answer(waiter, call, status, value)


class TailLost(SocketEndpoint):
    """Writes an echo behind another one, and does not look how much of it was taken."""

    _latest = (0, 0)

    def _answer(self, waiter: Waiter, call: Call, status: Status, value: Any) -> Program:
        begun, ended = self._reads or (0, 0)
        connection = waiter.peer.connection
        joined = (connection, begun) == self._latest
        self._latest = (0, 0) if joined else (connection, ended)
        if joined:
            waiter = waiter._replace(peer=_halving(waiter.peer, self.codec.wrap))
        return super()._answer(waiter, call, status, value)


def _halving(peer: Peer, wrap: Callable[[bytes], bytes]) -> Peer:
    assert isinstance(peer, StreamPeer), "only a stream takes a part of a message"

    def half(data: bytes) -> bytes:
        whole = wrap(data)
        return whole[: len(whole) // 2]

    return StreamPeer(peer.socket, peer.connection, half)


class NewestOnly(SocketEndpoint):
    """Takes what is newer than all that it took, as a receiver of prices does, and passes over what comes late."""

    def __init__(self, *of_endpoint: Any, **more: Any) -> None:
        super().__init__(*of_endpoint, **more)
        self._newest: dict[int, int] = {}

    def _arrive(self, waiter: Waiter, call: Call) -> Program:
        client, seq, *_ = waiter.header
        if seq > self._newest.get(client, 0):
            self._newest[client] = seq
            yield from super()._arrive(waiter, call)


CODECS: dict[str | None, type[CountingCodec]] = {"reads-as-messages": ReadsAsMessages, "last-first": LastFirst}
ENDPOINTS: dict[str | None, type[SocketEndpoint]] = {
    "repeats-what-came-split": RepeatsWhatCameSplit,
    "tail-lost": TailLost,
    "newest-only": NewestOnly,
}
VARIANTS = (*CODECS, *ENDPOINTS)
