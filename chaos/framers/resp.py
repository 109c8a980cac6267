"""PURE: Redis' protocol on a stream: commands one way, replies the other (RESP2 and RESP3, redis.io/docs, "Redis
serialization protocol specification").

A command names no operation of the client behind it, so messages have no identity: rules choose them by chance or all
of them, and what they do is not replayable.
"""

from __future__ import annotations

from chaos.faults import Direction
from chaos.framers.message import NOTHING, STREAM_DECISIONS, Found
from nodes.wire.errors import WireError

DECISIONS = STREAM_DECISIONS - {"duplicate", "reorder"}
"""Replies are paired with commands by their order alone."""

LARGEST_LINE = 65536
DEEPEST = 32
_LINES = frozenset(b"+-:,#(_")
_STRINGS = frozenset(b"$=!")
_LISTS = {ord("*"): 1, ord("~"): 1, ord(">"): 1, ord("%"): 2}
"""Types whose number counts what follows; a map's counts pairs."""
_ATTRIBUTES = ord("|")


class Values:
    """Splits one direction."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def push(self, data: bytes) -> None:
        self._buffer += data

    def next(self, direction: Direction) -> tuple[bytes, Found] | None:
        """Raises WireError for a reply that is none; a command may also be a line of words."""
        if not self._buffer:
            return None
        inline = direction == "request" and self._buffer[0] != ord("*")
        end = _line_end(self._buffer, 0) if inline else _value_end(self._buffer, 0, 0)
        if end is None:
            return None
        data = bytes(self._buffer[:end])
        del self._buffer[:end]
        first = data.find(b"\r\n") + 2
        return data, Found(None, None, None, None, slice(first, end) if first < end else NOTHING)

    def pending(self) -> bytes:
        return bytes(self._buffer)


def _line_end(buffer: bytearray, at: int) -> int | None:
    end = buffer.find(b"\n", at, at + LARGEST_LINE)
    if end < 0 and len(buffer) - at >= LARGEST_LINE:
        raise WireError("no line of RESP within 64 KiB")
    return end + 1 if end >= 0 else None


def _value_end(buffer: bytearray, at: int, depth: int) -> int | None:
    """Where the value at `at` ends, None while it is incomplete."""
    if depth > DEEPEST:
        raise WireError(f"values nested deeper than {DEEPEST}")
    if at >= len(buffer):
        return None
    kind, end = buffer[at], _line_end(buffer, at)
    if kind not in _LINES and kind not in _STRINGS and kind not in _LISTS and kind != _ATTRIBUTES:
        raise WireError(f"no value of RESP begins with {chr(kind)!r}")
    if end is None or kind in _LINES:
        return end
    count = _count(buffer[at + 1 : end])
    if kind in _STRINGS:
        whole = end if count < 0 else end + count + 2
        return whole if whole <= len(buffer) else None
    # Attributes come before the value that they speak of.
    following = 2 * count + 1 if kind == _ATTRIBUTES else _LISTS[kind] * max(count, 0)
    for _ in range(following):
        next_end = _value_end(buffer, end, depth + 1)
        if next_end is None:
            return None
        end = next_end
    return end


def _count(digits: bytearray) -> int:
    try:
        return int(digits)
    except ValueError:
        raise WireError(f"{bytes(digits[:20])!r} is no length") from None
