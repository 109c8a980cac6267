"""Simulated TCP endpoints, as far as a program can see them.

Rules, those of Linux tcp(7), net/ipv4/tcp.c and tcp_input.c:

1. Closing with unread data sends a reset, otherwise a FIN behind what was sent.
2. Data that arrives at a closed endpoint is answered by a reset.
3. What arrived before a reset can still be read; then one ConnectionResetError, then end of file.
4. After the peer's FIN a reset only shows at a send, as BrokenPipeError.
5. A send that finds no room waits; bytes count until the peer's program has read them.
6. A stopped host's endpoints take data, and complete no operation before it goes on.
"""

from __future__ import annotations

import errno
from collections import deque
from typing import TYPE_CHECKING

from nodes.engines.sim.errors import aborted
from nodes.engines.sim.medium import Medium
from nodes.ops import Address, Socket

if TYPE_CHECKING:
    from nodes.engines.sim.fiber import Fiber
    from nodes.engines.sim.host import Host


class Stream(Socket):
    """One end of a connection. `waiting` and `writer` are the tasks in `Recv` and `Send`."""

    __slots__ = (
        "_arrival",
        "_buffered",
        "_draining",
        "_failure",
        "_medium",
        "_over",
        "_pieces",
        "_remaining",
        "_shut",
        "_unread",
        "closed",
        "finished",
        "host",
        "other",
        "waiting",
        "writer",
    )

    def __init__(self, medium: Medium, host: Host, local: Address, peer: Address) -> None:
        self._medium = medium
        self.host = host
        self.local = local
        self.peer = peer
        self.other: Stream | None = None
        self.closed = False
        self.finished = False
        self.waiting: Fiber | None = None
        self.writer: Fiber | None = None
        self._arrival = 0  # when what was sent last arrives
        self._buffered = 0
        self._draining = False  # news of room is on its way
        self._failure = False  # a reset that the next operation is told of, and no other
        self._over = False  # a reset came
        self._pieces: deque[bytes] = deque()
        self._remaining: bytes | memoryview = b""  # of the `Send` that waits
        self._shut = False
        self._unread = 0  # sent and not yet read by the peer's program

    # what its own program does

    def receive(self, size: int) -> bytes | None:
        """At most `size` bytes, b"" at end of file, None if nothing is there yet."""
        if self.closed:
            raise aborted()
        if self._buffered:
            return self._take(size)
        self._check_failure()
        return b"" if self.finished or self._over else None

    def send(self, data: bytes | memoryview) -> bool:
        """Hand over what there is room for; False if the rest waits for room."""
        if self.closed:
            raise aborted()
        self._check_failure()
        if self._over or self._shut:
            raise BrokenPipeError(errno.EPIPE, "the stream was shut down or reset")
        room = self._medium.buffer - self._unread
        if len(data) <= room:
            self._transmit(bytes(data))
            return True
        view = memoryview(data)
        self._transmit(bytes(view[:room]))
        self._remaining = view[room:]
        return False

    @property
    def ended(self) -> bool:
        """Nothing is left to read, and nothing will come."""
        if self.closed:
            raise aborted()
        return not self._buffered and (self.finished or self._over)

    def shutdown(self) -> None:
        """Send a FIN behind what was sent."""
        if self.closed:
            raise aborted()
        if not self._shut and not self._over:
            self._carry_end()
        self._shut = True

    def close(self) -> None:
        """Rule 1; operations that wait end with ConnectionAbortedError."""
        if self.closed:
            return
        unopened = self.waiting is not None and self.waiting.connecting is self
        self.closed = True
        self.host.forget(self)
        self._end(aborted())
        if self._over or self.other is None:
            return
        if self._buffered or unopened:
            self._carry_reset()
        elif not self._shut:
            self._carry_end()

    def abort(self) -> None:
        """Close with a reset, whatever was read."""
        if not self.closed and not self._over and self.other is not None:
            self._carry_reset()
            self._over = True
        self.close()

    def poke(self) -> None:
        """Complete what can be completed now."""
        if self.host.paused:
            return
        if self.waiting is not None and (self._buffered or self.finished or self._over):
            self._complete(self.waiting)
        if self.writer is not None and (self._over or self._unread < self._medium.buffer):
            self._drain(self.writer)

    # what arrives

    def deliver(self, data: bytes) -> None:
        """A segment arrives."""
        if self.closed:
            self._carry_reset()
        elif not self._over:
            self._pieces.append(data)
            self._buffered += len(data)
            self.poke()

    def deliver_end(self, _: None) -> None:
        """A FIN arrives."""
        if not self.closed and not self._over:
            self.finished = True
            self.poke()

    def deliver_reset(self, _: None) -> None:
        """A reset arrives."""
        if not self.closed and not self._over:
            self._over = True
            self._failure = not self.finished
            self.poke()

    def deliver_room(self, _: None) -> None:
        """The peer's program has read."""
        self._draining = False
        self.poke()

    # inside

    def _check_failure(self) -> None:
        if self._failure:
            self._failure = False
            raise ConnectionResetError(errno.ECONNRESET, "the peer reset the connection")

    def _complete(self, fiber: Fiber) -> None:
        self.waiting = None
        try:
            fiber.wake(self.receive(fiber.operation.size))
        except OSError as error:
            fiber.fail(error)

    def _drain(self, fiber: Fiber) -> None:
        try:
            done = self.send(self._remaining)
        except OSError as error:
            self.writer = None
            fiber.fail(error)
            return
        if done:
            self.writer = None
            fiber.wake(None)

    def _take(self, size: int) -> bytes:
        if self._buffered <= size:
            data = self._pieces.popleft() if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces.clear()
        else:
            data = self._take_some(size)
        self._buffered -= len(data)
        self._read_by_program(len(data))
        return data

    def _take_some(self, size: int) -> bytes:
        taken: list[bytes] = []
        while size:
            piece = self._pieces.popleft()
            if len(piece) > size:
                self._pieces.appendleft(piece[size:])
                piece = piece[:size]
            taken.append(piece)
            size -= len(piece)
        return b"".join(taken)

    def _read_by_program(self, count: int) -> None:
        sender = self.other
        if sender is None:
            return
        sender._unread -= count
        if sender.writer is not None and not sender._draining:
            sender._draining = True
            self._medium.timeline.at(self._medium.arrival(), sender.deliver_room, None)

    def _transmit(self, data: bytes) -> None:
        if not data or self.other is None:
            return
        self._unread += len(data)
        for piece in self._medium.pieces(data):
            self._medium.timeline.at(self.next_arrival(), self.other.deliver, piece)

    def next_arrival(self) -> int:
        """When something sent now arrives at the peer, behind all that was sent before."""
        self._arrival = self._medium.arrival(self._arrival)
        return self._arrival

    def _carry_end(self) -> None:
        if self.other is not None:
            self._medium.timeline.at(self.next_arrival(), self.other.deliver_end, None)

    def _carry_reset(self) -> None:
        if self.other is not None:
            self._medium.timeline.at(self.next_arrival(), self.other.deliver_reset, None)

    def _end(self, error: OSError) -> None:
        for fiber in (self.waiting, self.writer):
            if fiber is not None:
                fiber.fail(error)
        self.waiting = self.writer = None
