"""A link over UDP: one socket for the clients, and for every client's address one towards the upstream.

That for the clients may be a member of a multicast group, to which each of several links has one.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterable

from chaos.hop import Effect, Forward, Hop, Inject
from chaos.identity import Direction
from chaos.planes.last_net import EVIDENCE_FAILS, reason
from chaos.planes.loop import READ, WRITE, Loop
from chaos.planes.sources import Sources
from nodes.clock import now
from nodes.wire.addresses import Group, Internet, IPv4

DATAGRAM = 65535
ROUND = 256
BUFFER = 1024 * 1024
UNSENT = 1024
"""Datagrams that wait at one socket until the system takes them; one more is lost, as at any full queue."""

_LOST = f"more than {UNSENT} datagrams that the system does not take; one more is lost"
_REFUSED = "a source too many, whose datagram is lost"
_FORGOTTEN = "an idle source is forgotten for another one"


class Datagrams:
    """A socket bound at `address` that queues what the system does not take at once. `arrived` gets (data, source).

    Raises OSError where the system has no socket more.
    """

    def __init__(
        self, loop: Loop, address: IPv4 | Group, arrived: Callable[[bytes, Internet], None], lost: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._lost = lost
        self._arrived = arrived
        self._unsent: deque[tuple[bytes, Internet]] = deque()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # A datagram that does not fit is dropped by the kernel, and no journal would say so.
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            if isinstance(address, Group):
                self._join(address)
            self._socket.bind(address[:2])
            self._socket.setblocking(False)
            self.address: Internet = self._socket.getsockname()
            loop.watch(self._socket, READ, self._ready)
        except OSError:
            self._socket.close()
            raise

    def _join(self, group: Group) -> None:
        """Beside its other members on this host (ip(7)). Bound to it, it gets what is sent to no other group."""
        membership = socket.inet_aton(group.host) + socket.inet_aton(socket.gethostbyname(group.interface))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)

    @property
    def unsent(self) -> int:
        return len(self._unsent)

    def close(self) -> None:
        self._loop.close(self._socket)

    def send(self, data: bytes, address: Internet) -> None:
        if len(self._unsent) >= UNSENT:
            self._lost()
            return
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
    """Performs a hop's effects on sockets: one for each source, of which it has `sockets`. While the upstream is down
    the hop loses what comes. `front` is where it is called at."""

    def __init__(self, loop: Loop, hop: Hop, host: str, sockets: int, front: Group | None = None) -> None:
        self.hop = hop
        self._loop = loop
        self._back = IPv4(host, 0)
        self._room = sockets
        self._front = self._datagrams(self._request, front or self._back)
        self._own = self._datagrams(lambda data, source: None, self._back)
        self._sources = Sources()
        self._backs: dict[int, Datagrams] = {}
        self._upstream: Internet | None = None
        self._upstreams: set[Internet] = set()
        self.address = self._front.address

    def upstream(self, address: Internet | None, epoch: int) -> None:
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
                    if client := self._sources.address(connection):
                        self._front.send(data, client)
                case Forward(connection, _, data) if self._upstream is not None:
                    if back := self._backs.get(connection):
                        back.send(data, self._upstream)
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

    def _datagrams(self, arrived: Callable[[bytes, Internet], None], address: IPv4 | Group) -> Datagrams:
        return Datagrams(self._loop, address, arrived, lambda: self.hop.notes.cut_off(_LOST))

    def _request(self, data: bytes, source: Internet) -> None:
        at = now()
        number = self._sources.number(source) or self._open(source, at)
        if number is not None:
            self._received(number, "request", data, at)

    def _reply(self, number: int, data: bytes, peer: Internet) -> None:
        if peer in self._upstreams:  # anybody else's datagram is none of this link's traffic
            self._received(number, "reply", data, now())

    def _received(self, number: int, direction: Direction, data: bytes, at: int) -> None:
        self._sources.heard(number, at)
        try:
            self.perform(self.hop.received(number, direction, data, at))
        except EVIDENCE_FAILS:
            raise
        except Exception as error:  # the last net
            self.perform(self.hop.broken(number, reason(error)))

    def _open(self, source: Internet, at: int) -> int | None:
        """-> the number of a new source; None: there is no room for it now."""
        number = self._sources.add(source, at) if self._has_room(at) else None
        if number is None or not self._connect(number):
            self.hop.notes.cut_off(_REFUSED)
            return None
        self.hop.notes.within(_REFUSED)
        self.hop.opened(number)
        return number

    def _has_room(self, at: int) -> bool:
        if len(self._sources) < self._room:
            return True
        idle = self._sources.idle(at)
        if idle is None:
            return False
        self.hop.notes.cut_off(_FORGOTTEN)
        self._backs.pop(idle).close()
        self._sources.forget(idle)
        self.hop.lost(idle)
        return True

    def _connect(self, number: int) -> bool:
        """-> whether the source has a socket towards the upstream now."""
        try:
            self._backs[number] = self._datagrams(lambda data, peer: self._reply(number, data, peer), self._back)
        except OSError:
            self._sources.forget(number)
            return False
        return True
