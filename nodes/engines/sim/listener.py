"""A simulated listening socket: the queue of connections that nobody accepted yet."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from nodes.engines.sim.errors import aborted
from nodes.engines.sim.stream import Stream
from nodes.ops import Address, Socket

if TYPE_CHECKING:
    from nodes.engines.sim.fiber import Fiber
    from nodes.engines.sim.host import Host


class Listener(Socket):
    """`waiting` is the task in `Accept`. Like Linux's, the queue holds one more than `backlog`."""

    __slots__ = ("_backlog", "_pending", "closed", "host", "waiting")

    def __init__(self, host: Host, local: Address, backlog: int) -> None:
        self.host = host
        self.local = local
        self.peer = None
        self.closed = False
        self.waiting: Fiber | None = None
        self._backlog = backlog
        self._pending: deque[Stream] = deque()

    @property
    def full(self) -> bool:
        """No connection can be taken before one is accepted."""
        return len(self._pending) > self._backlog

    def enqueue(self, stream: Stream) -> None:
        """A connection is complete."""
        self._pending.append(stream)
        self.poke()

    def accept(self) -> Stream | None:
        """The next connection, if there is one."""
        if self.closed:
            raise aborted()
        if not self._pending:
            return None
        stream = self._pending.popleft()
        self.host.own(stream)
        return stream

    def poke(self) -> None:
        """Complete the waiting `Accept` if it can be."""
        if self._pending and self.waiting is not None and not self.host.paused:
            fiber, self.waiting = self.waiting, None
            fiber.wake(self.accept())

    def close(self) -> None:
        """Connections that nobody accepted are reset."""
        if self.closed:
            return
        self.closed = True
        self.host.forget(self)
        if self.waiting is not None:
            self.waiting.fail(aborted())
            self.waiting = None
        for stream in self._pending:
            stream.abort()
        self._pending.clear()
