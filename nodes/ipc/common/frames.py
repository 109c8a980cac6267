"""PURE: messages in a stream of bytes: four bytes in front that count those of the message, big-endian.

As the protocol `lengths` of nodes/wire/messages.py, for messages that are larger, and whole reads of many of them.
"""

from __future__ import annotations

import struct
from collections import deque

LARGEST = 16 << 20
"""Bytes of a message: what the receiver's process must hold."""
_LENGTH = struct.Struct(">I")


def prefix(message: bytes) -> bytes:
    """What goes in front of it."""
    return _LENGTH.pack(len(message))


class Frames:
    """Bytes in, messages out, in order. What comes of a long message is joined once, when it is whole."""

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._length = b""
        self._parts: list[bytes] = []
        self._missing = 0

    def feed(self, data: bytes) -> None:
        """Raises ValueError where a length cannot be one; this object is then of no further use."""
        if self._missing:
            self._parts.append(data[: self._missing])
            data, self._missing = data[self._missing :], max(0, self._missing - len(data))
            if self._missing:
                return
            self._messages.append(b"".join(self._parts))
            self._parts = []
        self._split(self._length + data if self._length else data)

    def _split(self, data: bytes) -> None:
        at, size = 0, len(data)
        while size - at >= _LENGTH.size:
            start = at + _LENGTH.size
            at = start + _length(data, at)
            if at > size:
                self._parts, self._missing, self._length = [data[start:]], at - size, b""
                return
            self._messages.append(data[start:at])
        self._length = data[at:]

    def next(self) -> bytes | None:
        return self._messages.popleft() if self._messages else None

    @property
    def kept(self) -> int:
        """Bytes that came of a message that is not whole yet, with its length."""
        return len(self._length) + sum(map(len, self._parts)) + _LENGTH.size * bool(self._missing)


def _length(data: bytes, at: int) -> int:
    (length,) = _LENGTH.unpack_from(data, at)
    if length > LARGEST:
        raise ValueError(f"a message of {length} bytes, at most {LARGEST} are carried")
    return int(length)
