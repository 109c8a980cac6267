"""A link over UDP: one socket for the clients, and for every client's address one towards the upstream."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterable

from chaos.hop import Effect, Forward, Hop, Inject
from chaos.planes.loop import READ, WRITE, Loop
from nodes.clock import now

Address = tuple[str, int]
DATAGRAM = 65535
ROUND = 256
BUFFER = 1024 * 1024


class Datagrams:
    """A socket bound at `host` that queues what the system does not take at once. `arrived` gets (data, source)."""

    def __init__(self, loop: Loop, host: str, arrived: Callable[[bytes, Address], None]) -> None:
        self._loop = loop
        self._arrived = arrived
        self._unsent: deque[tuple[bytes, Address]] = deque()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # A datagram that does not fit is dropped by the kernel, and no journal would say so.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self.address: Address = self._socket.getsockname()
        loop.watch(self._socket, READ, self._ready)

    @property
    def unsent(self) -> int:
        return len(self._unsent)

    def send(self, data: bytes, address: Address) -> None:
        self._unsent.append((data, address))
        if len(self._unsent) == 1:
            self._flush()

    def drain(self) -> None:
        """Take what has arrived. Bounded, so that a flood on one socket does not starve the others."""
        for _ in range(ROUND):
            try:
                data, source = self._socket.recvfrom(DATAGRAM)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # an ICMP error about an earlier datagram: the datagram was lost, as datagrams are
            self._arrived(data, source)

    def _flush(self) -> None:
        while self._unsent:
            data, address = self._unsent[0]
            try:
                self._socket.sendto(data, address)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                pass  # as above; the error may belong to an earlier datagram, and this one is not sent again
            self._unsent.popleft()
        self._loop.watch(self._socket, READ | WRITE if self._unsent else READ, self._ready)

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if events & READ:
            self.drain()


class UdpLink:
    """Performs a hop's effects on sockets. While the upstream is down the hop loses what comes."""

    def __init__(self, loop: Loop, hop: Hop, host: str) -> None:
        self.hop = hop
        self._loop = loop
        self._host = host
        self._front = Datagrams(loop, host, self._request)
        self._own = Datagrams(loop, host, lambda data, source: None)
        self._numbers: dict[Address, int] = {}
        self._clients: dict[int, Address] = {}
        self._backs: dict[int, Datagrams] = {}
        self._upstream: Address | None = None
        self._upstreams: set[Address] = set()
        self.address = self._front.address

    def upstream(self, address: Address | None, epoch: int) -> None:
        """The server is ready at `address`, or down. Replies that it gave before it died are passed first."""
        self.drain()
        self._upstream = address
        if address is not None:
            self._upstreams.add(address)
        self.perform(self.hop.upstream(address is not None, epoch))

    def drain(self) -> None:
        for datagrams in [self._front, *self._backs.values()]:
            datagrams.drain()

    def perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Forward(connection, "reply", data):
                    self._front.send(data, self._clients[connection])
                case Forward(connection, _, data) if self._upstream is not None:
                    self._backs[connection].send(data, self._upstream)
                case Inject(data) if self._upstream is not None:
                    self._own.send(data, self._upstream)
                case _:
                    raise AssertionError(f"a datagram hop has no use for {effect}")

    def next_time(self) -> int | None:
        return self.hop.next_time()

    def tick(self, at: int) -> None:
        self.perform(self.hop.tick(at))

    def unsent(self) -> int:
        """How many datagrams the system has yet to take."""
        return sum(datagrams.unsent for datagrams in [self._front, self._own, *self._backs.values()])

    def _request(self, data: bytes, source: Address) -> None:
        number = self._numbers.get(source) or self._open(source)
        self.perform(self.hop.received(number, "request", data, now()))

    def _open(self, source: Address) -> int:
        number = len(self._numbers) + 1
        self._numbers[source] = number
        self._clients[number] = source
        self._backs[number] = Datagrams(self._loop, self._host, lambda data, peer: self._reply(number, data, peer))
        self.hop.opened(number)
        return number

    def _reply(self, number: int, data: bytes, peer: Address) -> None:
        if peer in self._upstreams:  # anybody else's datagram is none of this link's traffic
            self.perform(self.hop.received(number, "reply", data, now()))
