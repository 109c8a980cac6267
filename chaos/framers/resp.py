"""PURE: Redis' protocol on a stream: commands one way, replies the other (RESP2 and RESP3, redis.io/docs, "Redis
serialization protocol specification").

A command names no operation of the client behind it, so messages have no identity: rules choose them by chance or all
of them, and what they do is not replayable.
"""

from __future__ import annotations

import re

from chaos.framers.message import NOTHING, STREAM_DECISIONS, Found, require_bounded
from chaos.framers.shells import WireProtocol
from chaos.identity import Direction
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
_COUNT = re.compile(rb"-1|[0-9]{1,18}")


class Values:
    """Splits one direction. What was looked at of an incomplete value is not looked at again."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        self._due = [1]  # how many values are still due, at every depth

    def push(self, data: bytes) -> None:
        self._buffer += data

    def next(self, direction: Direction) -> tuple[bytes, Found] | None:
        """Raises WireError for a reply that is none; a command may also be a line of words."""
        if not self._buffer:
            return None
        inline = direction == "request" and self._buffer[0] != ord("*")
        end = _line_end(self._buffer, 0) if inline else self._value_end()
        if end is None:
            require_bounded(len(self._buffer))
            return None
        data = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._at, self._due = 0, [1]
        first = data.index(b"\n") + 1
        return data, Found(None, None, None, None, slice(first, end) if first < end else NOTHING)

    def pending(self) -> bytes:
        return bytes(self._buffer)

    def _value_end(self) -> int | None:
        """Where the first value ends, None while it is incomplete."""
        due = self._due
        while due:
            element = _element(self._buffer, self._at)
            if element is None:
                return None
            self._at, following = element
            due[-1] -= 1
            if following:
                due.append(following)
                if len(due) > DEEPEST:
                    raise WireError(f"values nested deeper than {DEEPEST}")
            while due and not due[-1]:
                due.pop()
        return self._at


def _line_end(buffer: bytearray, at: int) -> int | None:
    end = buffer.find(b"\n", at, at + LARGEST_LINE)
    if end < 0 and len(buffer) - at >= LARGEST_LINE:
        raise WireError("no line of RESP within 64 KiB")
    return end + 1 if end >= 0 else None


def _element(buffer: bytearray, at: int) -> tuple[int, int] | None:
    """-> where the value at `at` ends or its elements begin, and how many values follow as its elements.

    None while it is incomplete. Attributes come before the value that they speak of, which is one more.
    """
    if at >= len(buffer):
        return None
    kind, end = buffer[at], _line_end(buffer, at)
    if kind not in _LINES and kind not in _STRINGS and kind not in _LISTS and kind != _ATTRIBUTES:
        raise WireError(f"no value of RESP begins with {chr(kind)!r}")
    if end is None:
        return None
    _require_line_break(buffer, end)
    if kind in _LINES:
        return end, 0
    count = _count(buffer[at + 1 : end - 2])
    if kind in _STRINGS:
        return _string(buffer, end, count)
    return end, 2 * count + 1 if kind == _ATTRIBUTES else _LISTS[kind] * max(count, 0)


def _string(buffer: bytearray, at: int, size: int) -> tuple[int, int] | None:
    if size < 0:
        return at, 0
    end = at + size + 2
    require_bounded(end)
    if end > len(buffer):
        return None
    _require_line_break(buffer, end)
    return end, 0


def _require_line_break(buffer: bytearray, end: int) -> None:
    if buffer[end - 2 : end] != b"\r\n":
        raise WireError(f"no line break of RESP where one is due, but {bytes(buffer[end - 2 : end])!r}")


def _count(digits: bytearray) -> int:
    if not _COUNT.fullmatch(digits):
        raise WireError(f"{bytes(digits[:20])!r} is no length")
    return int(digits)


PROTOCOL = WireProtocol("resp", lambda: (Values(), Values()), decisions=DECISIONS, foreign=True, identifies=False)
