"""A ring in POSIX shared memory: one sender and one receiver, without locks and, while it flows, without the kernel.

    segment  := header ring
    header   := head at 64, tail at 128, attached sender at 192, attached receiver at 256   each alone in its cache line
    ring     := record...             from 4096 on, CAPACITY bytes
    record   := length, 8 bytes; the message; padding to 8 bytes       never over the ring's end: SKIP says "go on at 0"

Rule 1: the sender alone writes records and `head`, the receiver alone writes `tail`; both only grow (bytes, ever).
Rule 2: a record is written before the head that publishes it, and read before the tail that gives its room back.
Rule 3: each side keeps what it saw of the other's index, and looks anew only when that does not suffice; `tail` is
published when a part of the ring was read, or nothing is left (Lamport 1983; MCRingBuffer, Lee 2010).

Rule 2 needs stores to be seen in their order. Python has no fences; x86 keeps the order of stores and that of loads
(Intel SDM 3A, 9.2.2), so elsewhere this is refused. An index is one aligned store of 8 bytes.

Who has to wait tries again, yields the processor, then sleeps 50 us to 1 ms, and looks whether the other side is there.
"""

from __future__ import annotations

import os
import platform
import time

from nodes.ipc.common import memory
from nodes.ipc.common.channel import Declared, End, Role
from nodes.ipc.common.errors import BrokenPipe, ChannelError, Empty, EndOfFile, Full
from nodes.ipc.common.memory import OTHER, Segment
from nodes.ipc.common.places import remove

CAPACITY = 1 << 22
_RING = 4096
_SIZE = _RING + CAPACITY
_LENGTH = 8
_HEAD, _TAIL = 64 // 8, 128 // 8
_ATTACHED = {Role.SENDER: 192 // 8, Role.RECEIVER: 256 // 8}
_SKIP = 2**64 - 1
_BATCH = CAPACITY // 16
_SPINS, _YIELDS = 200, 200
_SHORTEST, _LONGEST = 50e-6, 1e-3
_LOOKS = 256
"""Of as many tries in vain that are not to block, one asks the kernel for the other side."""

DECLARED = Declared(
    boundaries=True,
    largest="2 MiB less 8 B",
    capacity="4 MiB, each message with 8 to 15 B more",
    kernel=False,
    stays="a segment in /dev/shm, with its messages",
    end_of_file=True,
    broken_pipe=True,
    two=True,
)


def availability() -> str | None:
    machine = platform.machine()
    if machine not in ("x86_64", "AMD64"):
        return f"it relies on x86's order of stores, and this machine is {machine or 'of an unknown kind'}"
    return memory.availability()


def create(name: str, role: Role) -> End:
    return _end(name, memory.created(name, _SIZE), role)


def attach(address: str, role: Role) -> End:
    return _end(address, memory.attached(address, _SIZE), role)


def _end(name: str, segment: Segment, role: Role) -> End:
    try:
        segment.claim(role)
    except ChannelError:
        segment.close()
        raise
    return RingSender(name, segment) if role is Role.SENDER else RingReceiver(name, segment)


class _Ring(End):
    largest = CAPACITY // 2 - _LENGTH
    role: Role

    def __init__(self, name: str, segment: Segment) -> None:
        self.address = name
        self._segment = segment
        self._memory = segment.memory
        self._words = memoryview(segment.memory).cast("Q")
        self._index = self._words[_HEAD if self.role is Role.SENDER else _TAIL]
        self._at = _RING + self._index % CAPACITY
        self._vain = 0
        self._words[_ATTACHED[self.role]] = 1

    def close(self) -> None:
        if not self._closed():
            self._words.release()
            self._segment.close()

    def unlink(self) -> None:
        remove(self._segment.path)

    def _closed(self) -> bool:
        return self._memory.closed

    def _left(self) -> bool:
        """Whether the other side was there and is not any more. A system call, if it was."""
        other = OTHER[self.role]
        return bool(self._words[_ATTACHED[other]]) and not self._segment.is_there(other)

    def _in_vain(self) -> bool:
        """Once more without blocking -> whether it is time to ask for the other side."""
        self._vain += 1
        return self._vain % _LOOKS == 1

    def _pause(self, tries: int) -> bool:
        """Before a further try -> whether it is time to ask for the other side."""
        if tries < _SPINS:
            return False
        if tries < _SPINS + _YIELDS:
            os.sched_yield()
            return False
        time.sleep(min(_LONGEST, _SHORTEST * 2 ** min(tries - _SPINS - _YIELDS, 10)))
        return True


class RingSender(_Ring):
    role = Role.SENDER

    def __init__(self, name: str, segment: Segment) -> None:
        super().__init__(name, segment)
        self._room = 0  # bytes at `_at` that are free, as far as is known, and do not go over the ring's end

    def send(self, message: bytes, block: bool = True) -> None:
        size = len(message)
        need = (size + 15) & ~7
        if need > self._room:
            self._make_room(need, message, block)
        at = self._at
        self._memory[at + 8 : at + 8 + size] = message
        words = self._words
        words[at >> 3] = size
        self._at = at + need
        self._room -= need
        self._index += need
        words[_HEAD] = self._index

    def close(self) -> None:
        self._room = 0
        super().close()

    def _make_room(self, need: int, message: bytes, block: bool) -> None:
        self._check(message)
        tries = 0
        while not self._has_room(need):
            if not block:
                if self._in_vain() and self._left():
                    raise BrokenPipe(f"{self.address}: the receiver has ended")
                raise Full(f"{self.address}: no room for {len(message)} bytes")
            if self._pause(tries) and self._left():
                raise BrokenPipe(f"{self.address}: the receiver has ended")
            tries += 1

    def _check(self, message: bytes) -> None:
        if self._closed():
            raise ChannelError(f"{self.address}: this end is closed")
        self._fits(message)

    def _has_room(self, need: int) -> bool:
        end = _RING + CAPACITY - self._at
        free = CAPACITY - (self._index - self._words[_TAIL])
        if need >= end and free >= end:  # a record that ended at the ring's end would leave no place for SKIP
            self._words[self._at >> 3] = _SKIP
            self._at = _RING
            self._index += end
            self._words[_HEAD] = self._index
            end, free = CAPACITY, free - end
        self._room = min(end - _LENGTH, free)
        return need <= self._room


class RingReceiver(_Ring):
    role = Role.RECEIVER

    def __init__(self, name: str, segment: Segment) -> None:
        super().__init__(name, segment)
        self._seen = self._published = self._index
        self._viewed: memoryview | None = None

    def receive(self, block: bool = True) -> bytes:
        if self._index == self._seen:
            self._await(block)
        at = self._at
        size = self._words[at >> 3]
        if size == _SKIP:
            self._skip()
            return self.receive(block)
        message = self._memory[at + 8 : at + 8 + size]
        need = (size + 15) & ~7
        self._at = at + need
        self._index += need
        if self._index - self._published > _BATCH:
            self._publish()
        return message

    def receive_view(self, block: bool = True) -> memoryview:
        """The next message where it lies, not copied, read only; it holds until `release`, which is to come next."""
        while True:
            if self._index == self._seen:
                self._await(block)
            size = self._words[self._at >> 3]
            if size != _SKIP:
                break
            self._skip()
        with memoryview(self._memory) as whole:
            self._viewed = whole[self._at + 8 : self._at + 8 + size].toreadonly()
        return self._viewed

    def release(self) -> None:
        """Its room is the sender's again."""
        if self._viewed is None:
            raise ChannelError(f"{self.address}: there is no view to release")
        need = (len(self._viewed) + 15) & ~7
        self._viewed.release()
        self._viewed = None
        self._at += need
        self._index += need
        self._publish()

    def close(self) -> None:
        if self._viewed is not None:
            self._viewed.release()
            self._viewed = None
        self._seen = self._index
        super().close()

    def _publish(self) -> None:
        self._words[_TAIL] = self._published = self._index

    def _skip(self) -> None:
        self._index += _RING + CAPACITY - self._at
        self._at = _RING
        self._publish()

    def _await(self, block: bool) -> None:
        if self._closed():
            raise ChannelError(f"{self.address}: this end is closed")
        self._publish()
        tries = 0
        while (head := self._words[_HEAD]) == self._index:
            asked = self._pause(tries) if block else self._in_vain()
            if asked and self._left() and self._words[_HEAD] == self._index:  # what it sent last came before its end
                raise EndOfFile(f"{self.address}: the sender has ended")
            if not block:
                raise Empty(f"{self.address}: no message")
            tries += 1
        self._seen = head
