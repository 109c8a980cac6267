"""A link over TCP: a listener, and for every client's connection one to the upstream."""

from __future__ import annotations

import socket

from chaos.faults import Direction
from chaos.hop import Effect, End, Finish, Forward, Hop, Inject, joined
from chaos.planes.loop import READ, Loop
from chaos.planes.ports import Address, ReservedPort, bound
from chaos.planes.stream import Stream
from nodes.clock import now

BACKLOG = 128
ROUND = 256


class Pair:
    """The two sockets of one connection; tells the link what happens on them, by direction."""

    def __init__(self, link: TcpLink, number: int, client: socket.socket) -> None:
        self.number = number
        self._link = link
        self.client = Stream(link.loop, client, self)
        self.upstream = Stream(link.loop, socket.socket(socket.AF_INET, socket.SOCK_STREAM), self)

    def target(self, direction: Direction) -> Stream:
        return self.upstream if direction == "request" else self.client

    def connected(self, stream: Stream) -> None:
        # Only now: a request that is read has somewhere to go, so what counts as passed was handed over.
        self._link.established(self)
        self.client.read(True)
        self.upstream.read(True)

    def data(self, stream: Stream, data: bytes) -> None:
        self._link.perform(self._link.hop.received(self.number, self._direction(stream), data, now()))

    def end(self, stream: Stream) -> None:
        self._link.perform(self._link.hop.ended(self.number, self._direction(stream), now()))

    def lost(self, stream: Stream) -> None:
        self._other(stream).reset()
        self._link.lost(self)

    def drained(self, stream: Stream) -> None:
        self._other(stream).read(True)

    def forward(self, direction: Direction, data: bytes) -> None:
        target = self.target(direction)
        target.send(data)
        if target.congested:
            self._other(target).read(False)

    def close(self) -> None:
        self.client.close()
        self.upstream.close()

    def _direction(self, stream: Stream) -> Direction:
        return "request" if stream is self.client else "reply"

    def _other(self, stream: Stream) -> Stream:
        return self.upstream if stream is self.client else self.client


class Injection:
    """One request over a connection of the relay's own: whatever comes back first is the reply, and ends it."""

    def __init__(self, link: TcpLink, data: bytes, upstream: Address) -> None:
        self._link = link
        self.stream = Stream(link.loop, socket.socket(socket.AF_INET, socket.SOCK_STREAM), self)
        self.stream.connect(upstream)
        self.stream.send(data)

    def connected(self, stream: Stream) -> None:
        stream.read(True)

    def data(self, stream: Stream, data: bytes) -> None:
        self.end(stream)

    def end(self, stream: Stream) -> None:
        stream.close()
        self._link.injections.discard(self)

    def lost(self, stream: Stream) -> None:
        self._link.injections.discard(self)

    def drained(self, stream: Stream) -> None:
        """Nothing is read that would have to wait."""


class TcpLink:
    """Performs a hop's effects on sockets. While the upstream is down nobody listens."""

    def __init__(self, loop: Loop, hop: Hop, host: str, port: int = 0) -> None:
        self.loop = loop
        self.hop = hop
        self.injections: set[Injection] = set()
        self._pairs: dict[int, Pair] = {}
        self._connecting: set[Pair] = set()
        self._count = 0
        self._upstream: Address | None = None
        self._listener: socket.socket | None = None
        self._reserved = ReservedPort(host, port)
        self.address = self._reserved.address

    def upstream(self, address: Address | None, epoch: int) -> None:
        """The server is ready at `address`, or down. Replies that it gave before it died are passed first."""
        self.drain()
        self._upstream = address
        if address is None:
            self._deafen()
        self.perform(self.hop.upstream(address is not None, epoch))
        if address is not None and self._listener is None:
            self._listen()

    def drain(self) -> None:
        """Take what the system has for us, as far as the other sides take it on. Bounded, whoever floods."""
        for pair in list(self._pairs.values()):
            for stream in (pair.client, pair.upstream):
                for _ in range(ROUND):
                    if not stream.receive():
                        break

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects if len(effects) < 2 else joined(effects):
            match effect:
                case Forward(connection, direction, data):
                    if pair := self._pairs.get(connection):
                        pair.forward(direction, data)
                case Finish(connection, direction):
                    if pair := self._pairs.get(connection):
                        pair.target(direction).finish()
                case End(connection):
                    if pair := self._pairs.pop(connection, None):
                        pair.close()
                case Inject(data):
                    if self._upstream is not None:
                        self.injections.add(Injection(self, data, self._upstream))

    def next_time(self) -> int | None:
        return self.hop.next_time()

    def tick(self, at: int) -> None:
        self.perform(self.hop.tick(at))

    def unsent(self) -> int:
        """How many connections have yet to hand something over."""
        streams = [stream for pair in self._pairs.values() for stream in (pair.client, pair.upstream)]
        streams += [injection.stream for injection in self.injections]
        return len(self._connecting) + sum(stream.unsent > 0 for stream in streams)

    def established(self, pair: Pair) -> None:
        self._connecting.discard(pair)
        self._pairs[pair.number] = pair
        self.hop.opened(pair.number)

    def lost(self, pair: Pair) -> None:
        self._connecting.discard(pair)
        self._pairs.pop(pair.number, None)
        self.hop.lost(pair.number)

    def _listen(self) -> None:
        listener = bound(self.address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
        self._listener = listener
        self.loop.watch(listener, READ, self._accept)

    def _deafen(self) -> None:
        if self._listener is not None:
            self.loop.close(self._listener)
            self._listener = None
        for pair in list(self._connecting):
            pair.client.reset()
            pair.upstream.reset()
        self._connecting.clear()

    def _accept(self, events: int) -> None:
        while self._listener is not None and self._upstream is not None:
            try:
                client, _ = self._listener.accept()
            except OSError:  # nobody waits any more, or who waited has gone
                return
            self._count += 1
            pair = Pair(self, self._count, client)
            self._connecting.add(pair)
            pair.upstream.connect(self._upstream)
