"""PURE: record marking, the framing of ONC RPC on streams (RFC 5531 section 11).

Each fragment has four bytes in front: the top bit says that it is its record's last, the others its length. We
send one fragment a record and accept many.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from nodes.wire.errors import WireError

LIMIT = 1 << 20
MARK_SIZE = 4
LAST = 1 << 31

_MARK = struct.Struct(">I")


def wrap(record: bytes) -> bytes:
    """The record as one fragment."""
    return _MARK.pack(LAST | len(record)) + record


class Record(NamedTuple):
    """`raw` is what came over the wire, marks included; `first` is the size of the first fragment's content."""

    raw: bytes
    payload: bytes
    first: int


class RecordMarking:
    """Splits a stream into records of at most `limit` bytes, marks included."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._scanned = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads of the records that `data` completes.

        Raises WireError for a record that is too large, after those in front of it; this object is then of no
        further use.
        """
        self.push(data)
        return iter(self._payload, None)

    def push(self, data: bytes) -> None:
        self._buffer += data

    def next(self) -> Record | None:
        """The next complete record among the bytes kept, or None. Raises WireError."""
        while len(self._buffer) >= self._scanned + MARK_SIZE:
            (mark,) = _MARK.unpack_from(self._buffer, self._scanned)
            start = self._scanned + MARK_SIZE
            end = start + (mark & ~LAST)
            if end > self._limit:
                raise WireError(f"a record of at least {end} bytes, at most {self._limit} are allowed")
            if len(self._buffer) < end:
                return None
            self._parts.append(bytes(self._buffer[start:end]))
            self._scanned = end
            if mark & LAST:
                return self._take()
        return None

    def pending(self) -> bytes:
        """What came of an incomplete record."""
        return bytes(self._buffer)

    def _payload(self) -> bytes | None:
        record = self.next()
        return None if record is None else record.payload

    def _take(self) -> Record:
        raw, parts = bytes(self._buffer[: self._scanned]), self._parts
        del self._buffer[: self._scanned]
        self._scanned = 0
        if len(parts) == 1:
            return Record(raw, parts.pop(), len(raw) - MARK_SIZE)
        self._parts = []
        return Record(raw, b"".join(parts), len(parts[0]))
