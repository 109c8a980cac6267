"""Shared memory without synchronisation, wrong on purpose: nobody waits for anybody, so messages are lost and torn."""

from __future__ import annotations

import time

from nodes.ipc.common import memory
from nodes.ipc.common.channel import Declared, End, Role
from nodes.ipc.common.errors import ChannelError, Empty
from nodes.ipc.common.memory import Segment
from nodes.ipc.common.places import remove

LARGEST = 1 << 20
_PLACE = 64
_PIECE = 4096
_SIZE = _PLACE + LARGEST
_NAP = 50e-6

DECLARED = Declared(
    boundaries=True,
    largest="1 MiB",
    capacity="one message, which the next one overwrites",
    kernel=False,
    stays="a segment in /dev/shm, with its last message",
    wrong="a send does not wait until the message before was received, and tells of a message before it is written",
)
availability = memory.availability


def create(name: str, role: Role) -> End:
    return _end(name, memory.created(name, _SIZE), role)


def attach(address: str, role: Role) -> End:
    return _end(address, memory.attached(address, _SIZE), role)


def _end(name: str, segment: Segment, role: Role) -> End:
    return _Sender(name, segment) if role is Role.SENDER else _Receiver(name, segment)


class _Shared(End):
    """count of messages, length, place for one message"""

    largest = LARGEST

    def __init__(self, name: str, segment: Segment) -> None:
        self.address = name
        self._segment = segment
        self._memory = segment.memory
        self._words = memoryview(segment.memory)[:_PLACE].cast("Q")

    def close(self) -> None:
        if not self._memory.closed:
            self._words.release()
            self._segment.close()

    def unlink(self) -> None:
        remove(self._segment.path)

    def _check(self) -> None:
        if self._memory.closed:
            raise ChannelError(f"{self.address}: this end is closed")


class _Sender(_Shared):
    def send(self, message: bytes, block: bool = True) -> None:
        self._check()
        self._fits(message)
        self._words[1] = len(message)
        self._words[0] += 1
        for at in range(0, len(message), _PIECE):
            piece = message[at : at + _PIECE]
            self._memory[_PLACE + at : _PLACE + at + len(piece)] = piece


class _Receiver(_Shared):
    def __init__(self, name: str, segment: Segment) -> None:
        super().__init__(name, segment)
        self._received = 0

    def receive(self, block: bool = True) -> bytes:
        self._check()
        while self._words[0] == self._received:
            if not block:
                raise Empty(f"{self.address}: no message")
            time.sleep(_NAP)
        self._received = self._words[0]
        return self._memory[_PLACE : _PLACE + self._words[1]]
