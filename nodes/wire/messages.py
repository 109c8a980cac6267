"""PURE: messages of sockets without calls: who sent it, which number it has, and its data, as a line of text says them.

    MESSAGE := client " " number " " data      client, number decimal from 1; data in hexadecimal, two digits a byte

What is sent to a group is delivered to each of its members. Each of these deliveries has a number of its own, and they
follow one another in the order of the members; the message has that of the first.

A stream has no messages, so a protocol says where each ends: a line feed (`lines`), or four bytes in front that count
those of the message, big-endian (`lengths`). A datagram is a message by itself (`datagrams`).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Literal, NamedTuple

from nodes.wire.errors import WireError, shown

ProtocolName = Literal["lines", "lengths", "datagrams"]
STREAMED = ("lines", "lengths")
"""Those that find messages in a stream; the other one is for transports that keep the boundaries of messages."""
LIMIT = 1 << 20
"""Bytes of a message, with what says where it ends."""

_NUMBER = rb"[1-9][0-9]{0,9}"
_FORM = re.compile(rb"(%s) (%s) ((?:[0-9a-f]{2})*)" % (_NUMBER, _NUMBER))
_LENGTH = struct.Struct(">I")
_LARGEST = 2**32 - 1


class Message(NamedTuple):
    """`client` and `number` 32 bits, from 1. `place` is where the data begins in the message's bytes."""

    client: int
    number: int
    data: bytes
    place: int = 0


def encode(client: int, number: int, data: bytes) -> bytes:
    return b"%d %d %s" % (client, number, data.hex().encode())


def decode(message: bytes) -> Message:
    """Raises WireError."""
    found = _FORM.fullmatch(message)
    if found is None:
        raise WireError(f"no message: {shown(message)}")
    client, number = int(found[1]), int(found[2])
    if max(client, number) > _LARGEST:
        raise WireError(f"a client or a number above {_LARGEST}")
    return Message(client, number, bytes.fromhex(found[3].decode()), found.start(3))


def delivered(message: Message, member: int) -> Message:
    """As that member of its group takes it (from 0). Raises WireError."""
    if message.number + member > _LARGEST:
        raise WireError(f"a delivery with a number above {_LARGEST}")
    return message._replace(number=message.number + member)


class Piece(NamedTuple):
    """`raw` is what came over the wire; `start` is where the message begins in it."""

    raw: bytes
    message: bytes
    start: int


class Splitter:
    """Finds messages of at most LIMIT bytes in a stream."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that `data` completes. Raises WireError; this object is then of no further use."""
        self.push(data)
        while (piece := self.next()) is not None:
            yield piece.message

    def push(self, data: bytes) -> None:
        self._buffer += data

    def pending(self) -> bytes:
        """What came of an incomplete message."""
        return bytes(self._buffer)

    @property
    def kept(self) -> int:
        """How many bytes that is."""
        return len(self._buffer)

    def next(self) -> Piece | None:
        """The next complete message among the bytes kept, or None. Raises WireError."""
        raise NotImplementedError

    def _take(self, size: int, start: int, stop: int) -> Piece:
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        return Piece(raw, raw[start:stop], start)


class Lines(Splitter):
    def __init__(self) -> None:
        super().__init__()
        self._searched = 0

    def next(self) -> Piece | None:
        end = self._buffer.find(b"\n", self._searched, LIMIT)
        if end < 0:
            if len(self._buffer) >= LIMIT:
                raise WireError(f"a line of more than {LIMIT} bytes")
            self._searched = len(self._buffer)
            return None
        self._searched = 0
        return self._take(end + 1, 0, end)


class Lengths(Splitter):
    def next(self) -> Piece | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        end = _LENGTH.size + int(_LENGTH.unpack_from(self._buffer)[0])
        if end > LIMIT:
            raise WireError(f"a message of {end} bytes, at most {LIMIT} are allowed")
        return self._take(end, _LENGTH.size, end) if len(self._buffer) >= end else None


class Reads(Splitter):
    """Takes for a message whatever came at once: on a transport that keeps boundaries that is what it is."""

    def next(self) -> Piece | None:
        return self._take(len(self._buffer), 0, len(self._buffer)) if self._buffer else None


SPLITTERS: dict[str, type[Splitter]] = {"lines": Lines, "lengths": Lengths, "datagrams": Reads}
"""By the protocol."""


def wrap(protocol: str, message: bytes) -> bytes:
    """A message as it goes on a stream, or as a datagram."""
    if protocol == "lines":
        return message + b"\n"
    return _LENGTH.pack(len(message)) + message if protocol == "lengths" else message
