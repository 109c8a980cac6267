"""PURE: who is answered: where answers go, in turn, and how much may be under way before more is asked for.

A peer that takes no answers is read no further; one on this host that has no room for a datagram loses it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from nodes.ops import Address, Get, Program, Put, Queue, Send, SendTo, Socket
from nodes.wire.addresses import UnixPath

MOST = 1024
"""Calls that are executed, or answers that wait to be sent, at a time for one connection, or of all datagrams."""
AT_ONCE = 0
"""A deadline that has always passed."""


class Room:
    """For so many; who comes then waits, so that a peer that takes no answers is read no further."""

    __slots__ = ("_held", "_queue", "_taken")

    def __init__(self) -> None:
        self._queue = Queue()
        self._held = self._taken = 0

    def take(self) -> None:
        self._taken += 1

    def give(self) -> Program:
        self._taken -= 1
        if self._held:
            self._held -= 1
            yield Put(self._queue, None)

    @property
    def full(self) -> bool:
        return self._taken >= MOST

    def wait(self) -> Program:
        while self.full:
            self._held += 1
            yield Get(self._queue)


class Peer(Protocol):
    """Where an attempt came from and its answer goes to; `room` is for what it has under way."""

    connection: int
    room: Room

    def send(self, data: bytes) -> Program: ...


class Outbox:
    """What several executions send on one socket queues here, for one send may be outstanding on it: `sending`."""

    __slots__ = ("_room", "_waiting", "sending")

    def __init__(self) -> None:
        self._waiting: deque[Send | SendTo] = deque()
        self.sending: Send | SendTo | None = None
        self._room = Room()

    def send(self, operation: Send | SendTo) -> Program:
        if self.sending is not None:
            yield from self._queued(operation)
            return
        self.sending = operation
        while True:
            try:
                yield operation
            except OSError:
                pass  # as lost as any datagram, or the client is gone: it asks again if it wants its answer
            if not self._waiting:
                break
            yield from self._room.give()
            self.sending = operation = self._waiting.popleft()
        self.sending = None

    def _queued(self, operation: Send | SendTo) -> Program:
        yield from self._room.wait()
        if self.sending is None:
            yield from self.send(operation)
            return
        self._room.take()
        self._waiting.append(operation)


class StreamPeer:
    """One connection."""

    __slots__ = ("_wrap", "connection", "outbox", "room", "socket")

    def __init__(self, socket: Socket, connection: int, wrap: Callable[[bytes], bytes]) -> None:
        self.socket = socket
        self.connection = connection
        self.room = Room()
        self._wrap = wrap
        self.outbox = Outbox()

    def send(self, data: bytes) -> Program:
        return self.outbox.send(Send(self.socket, self._wrap(data)))


class DatagramPeer:
    """Who sent a datagram; all of them share the socket's outbox.

    One on this host that has no room for an answer (unix(7)) loses it: the others are not to wait for it.
    """

    __slots__ = ("_address", "_deadline", "_outbox", "_socket", "connection", "room")

    def __init__(self, socket: Socket, outbox: Outbox, room: Room, address: Address) -> None:
        self.connection = 0
        self.room = room
        self._socket = socket
        self._outbox = outbox
        self._address = address
        self._deadline = AT_ONCE if isinstance(address, UnixPath) else None

    def send(self, data: bytes) -> Program:
        return self._outbox.send(SendTo(self._socket, data, self._address, self._deadline))
