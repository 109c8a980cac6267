"""A link over TCP: a listener, and for every client's connection one to the upstream."""

from __future__ import annotations

import socket

from chaos.hop import Effect, End, Finish, Forward, Hop, Inject, Pause, Resume, joined
from chaos.identity import Direction
from chaos.planes.injection import Injections
from chaos.planes.last_net import EVIDENCE_FAILS, reason
from chaos.planes.listening import Listening
from chaos.planes.loop import Loop
from chaos.planes.ports import ReservedPort, bound
from chaos.planes.room import OF_A_CONNECTION
from chaos.planes.stream import Stream
from nodes.clock import now
from nodes.wire.addresses import Internet

BACKLOG = 128
ROUND = 256

_RESTING = "no descriptor for a connection; accepting rests"
_REFUSED = "a connection too many, which is refused"


class Pair:
    """The two sockets of one connection; tells the link what happens on them, by direction."""

    def __init__(self, link: TcpLink, number: int, client: socket.socket, upstream: socket.socket) -> None:
        self.number = number
        self._link = link
        self._paused: set[Direction] = set()
        self.client = Stream(link.loop, client, self)
        self.upstream = Stream(link.loop, upstream, self)

    @property
    def over(self) -> bool:
        return self.client.closed and self.upstream.closed

    def target(self, direction: Direction) -> Stream:
        return self.upstream if direction == "request" else self.client

    def connected(self, stream: Stream) -> None:
        # Only now: a request that is read has somewhere to go, so what counts as passed was handed over.
        self._link.established(self)
        self._read("request")
        self._read("reply")

    def data(self, stream: Stream, data: bytes) -> None:
        link = self._link
        try:
            link.perform(link.hop.received(self.number, self._direction(stream), data, now()))
        except EVIDENCE_FAILS:
            raise
        except Exception as error:
            link.broken(self, error)

    def end(self, stream: Stream) -> None:
        link = self._link
        try:
            link.perform(link.hop.ended(self.number, self._direction(stream), now()))
        except EVIDENCE_FAILS:
            raise
        except Exception as error:
            link.broken(self, error)

    def lost(self, stream: Stream) -> None:
        self._other(stream).reset()
        self._link.lost(self)

    def drained(self, stream: Stream) -> None:
        self._read("request" if stream is self.upstream else "reply")

    def forward(self, direction: Direction, data: bytes) -> None:
        target = self.target(direction)
        target.send(data)
        if target.congested:
            self._link.congested.add(target)
            self._read(direction)

    def pause(self, direction: Direction) -> None:
        self._paused.add(direction)
        self._read(direction)

    def resume(self, direction: Direction) -> None:
        self._paused.discard(direction)
        self._read(direction)

    def close(self) -> None:
        self.client.close()
        self.upstream.close()

    def reset(self) -> None:
        self.client.reset()
        self.upstream.reset()

    def _read(self, direction: Direction) -> None:
        target = self.target(direction)
        self._other(target).read(direction not in self._paused and not target.congested)

    def _direction(self, stream: Stream) -> Direction:
        return "request" if stream is self.client else "reply"

    def _other(self, stream: Stream) -> Stream:
        return self.upstream if stream is self.client else self.client


class TcpLink:
    """Performs a hop's effects on sockets, of which it has `sockets`. While the upstream is down nobody listens."""

    def __init__(self, loop: Loop, hop: Hop, host: str, port: int, sockets: int) -> None:
        self.loop = loop
        self.hop = hop
        self.injections = Injections(loop, hop.notes)
        self.congested: set[Stream] = set()
        hop.backlog = self._backlog
        self._room = sockets // OF_A_CONNECTION
        self._open: dict[Pair, None] = {}  # every pair that has a socket, in the order of their beginning
        self._pairs: dict[int, Pair] = {}
        self._connecting: set[Pair] = set()
        self._count = 0
        self._upstream: Internet | None = None
        self._listening: Listening | None = None
        self._reserved = ReservedPort(host, port)
        self.address = self._reserved.address

    def upstream(self, address: Internet | None, epoch: int) -> None:
        """The server is ready at `address`, or down. Replies that it gave before it died are passed first."""
        self.drain()
        self._upstream = address
        if address is None:
            self._deafen()
        self.perform(self.hop.upstream(address is not None, epoch))
        if address is not None and self._listening is None:
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
                        self._tidy(pair)
                case Inject(data):
                    if self._upstream is not None:
                        self.injections.send(data, self._upstream)
                case Pause(connection, direction):
                    if pair := self._pairs.get(connection):
                        pair.pause(direction)
                case Resume(connection, direction):
                    if pair := self._pairs.get(connection):
                        pair.resume(direction)

    def broken(self, pair: Pair, error: Exception) -> None:
        """The last net: that connection ends, and nothing else does."""
        self.perform(self.hop.broken(pair.number, reason(error)))

    def next_time(self) -> int | None:
        return self.hop.next_time()

    def tick(self, at: int) -> None:
        self.perform(self.hop.tick(at))

    def unsent(self) -> int:
        """How many connections have yet to hand something over."""
        streams = (stream for pair in self._pairs.values() for stream in (pair.client, pair.upstream))
        return len(self._connecting) + self.injections.unsent + sum(stream.unsent > 0 for stream in streams)

    def established(self, pair: Pair) -> None:
        self._connecting.discard(pair)
        self._pairs[pair.number] = pair
        self.hop.opened(pair.number)

    def lost(self, pair: Pair) -> None:
        self._connecting.discard(pair)
        self._pairs.pop(pair.number, None)
        self._tidy(pair)
        self.hop.lost(pair.number)

    def _listen(self) -> None:
        listener = bound(self.address)
        listener.listen(BACKLOG)
        self._listening = Listening(self.loop, listener, self._accepted, lambda: self.hop.notes.cut_off(_RESTING))

    def _deafen(self) -> None:
        self.injections.forget()
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for pair in list(self._connecting):
            pair.reset()
            self._tidy(pair)
        self._connecting.clear()

    def _accepted(self, client: socket.socket) -> None:
        assert self._upstream is not None, "while the upstream is down nobody listens"
        upstream = self._another()
        if upstream is None:
            client.close()
            self.hop.notes.cut_off(_REFUSED)
            return
        self.hop.notes.within(_REFUSED)
        self.hop.notes.within(_RESTING)
        try:
            pair = Pair(self, self._count + 1, client, upstream)
        except OSError:  # whoever connected has gone: some systems refuse options of such a socket
            client.close()
            upstream.close()
            return
        self._count += 1
        self._open[pair] = None
        self._connecting.add(pair)
        pair.upstream.connect(self._upstream)

    def _another(self) -> socket.socket | None:
        """A socket towards the upstream, if one more connection has room."""
        if len(self._open) >= self._room and not self._make_room():
            return None
        try:
            return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        except OSError:
            return None

    def _make_room(self) -> bool:
        """Forget the connections that are over; of those that only wait for their peers to take the rest, reset one."""
        self._open = {pair: None for pair in self._open if not pair.over}
        for pair in self._open if len(self._open) >= self._room else ():
            if self._pairs.get(pair.number) is not pair and pair not in self._connecting:
                pair.reset()
                del self._open[pair]
                break
        return len(self._open) < self._room

    def _backlog(self) -> int:
        """Bytes that wait for receivers that do not take them."""
        self.congested = {stream for stream in self.congested if stream.congested and not stream.closed}
        return sum(stream.unsent for stream in self.congested)

    def _tidy(self, pair: Pair) -> None:
        if pair.over:
            self._open.pop(pair, None)
