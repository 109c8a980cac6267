"""PURE: messages in a stream of bytes: four bytes in front that count those of the message, big-endian.

As the protocol `lengths` of nodes/wire/messages.py, for messages that are larger, and whole reads of many of them.
"""

from __future__ import annotations

import struct
from collections import deque

LARGEST = 16 << 20
"""Bytes of a message: what the receiver's process must hold."""
_LENGTH = struct.Struct(">I")


def frame(message: bytes) -> bytes:
    return _LENGTH.pack(len(message)) + message


class Frames:
    """Bytes in, messages out, in order."""

    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._kept = bytearray()

    def feed(self, data: bytes) -> None:
        """Raises ValueError where a length cannot be one; this object is then of no further use."""
        if self._kept:
            self._kept += data
            if len(self._kept) < _LENGTH.size or len(self._kept) < _LENGTH.size + self._length(self._kept, 0):
                return
            data = bytes(self._kept)
        at = 0
        while len(data) - at >= _LENGTH.size:
            end = at + _LENGTH.size + self._length(data, at)
            if end > len(data):
                break
            self._messages.append(data[at + _LENGTH.size : end])
            at = end
        self._kept = bytearray(data[at:])

    def next(self) -> bytes | None:
        return self._messages.popleft() if self._messages else None

    @property
    def kept(self) -> int:
        """Bytes of a message that is not whole yet, with its length."""
        return len(self._kept)

    def _length(self, data: bytes | bytearray, at: int) -> int:
        (length,) = _LENGTH.unpack_from(data, at)
        if length > LARGEST:
            raise ValueError(f"a message of {length} bytes, at most {LARGEST} are carried")
        return int(length)
