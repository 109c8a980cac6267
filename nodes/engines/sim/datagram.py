"""A simulated UDP socket. Its buffer is unbounded: what gets lost, a program on the way has lost."""

from __future__ import annotations

import errno
from collections import deque
from typing import TYPE_CHECKING

from nodes.engines.sim.errors import aborted
from nodes.ops import Address, Socket
from nodes.wire.addresses import IPv4

if TYPE_CHECKING:
    from nodes.engines.sim.fiber import Fiber
    from nodes.engines.sim.host import Host

LARGEST = 65_507  # bytes of payload, udp(7)


class Datagrams(Socket):
    """`waiting` is the task in `RecvFrom`; `sent` is when the last one to each destination, or member of a group,
    arrives; `source` is where what it sends comes from: at a group nobody sends."""

    __slots__ = ("_received", "closed", "host", "sent", "source", "waiting")

    def __init__(self, host: Host, local: IPv4) -> None:
        self.host = host
        self.local = local
        self.source = local._replace(host=host.name)
        self.peer = None
        self.closed = False
        self.sent: dict[Address | Datagrams, int] = {}
        self.waiting: Fiber | None = None
        self._received: deque[tuple[bytes, Address]] = deque()

    def check(self, data: bytes) -> None:
        """Raise what sending `data` would."""
        if self.closed:
            raise aborted()
        if len(data) > LARGEST:
            raise OSError(errno.EMSGSIZE, "message too long")

    def deliver(self, data: bytes, source: Address) -> None:
        """A datagram arrives."""
        self._received.append((data, source))
        self.poke()

    def receive(self, size: int) -> tuple[bytes, Address] | None:
        """The next datagram cut to `size`, if there is one."""
        if self.closed:
            raise aborted()
        if not self._received:
            return None
        data, source = self._received.popleft()
        return data[:size], source

    def poke(self) -> None:
        """Complete the waiting `RecvFrom` if it can be."""
        if self._received and self.waiting is not None and not self.host.paused:
            fiber, self.waiting = self.waiting, None
            fiber.wake(self.receive(fiber.operation.size))

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.host.forget(self)
        if self.waiting is not None:
            self.waiting.fail(aborted())
            self.waiting = None
