"""PURE: HTTP/1.0 and 1.1 messages on a stream (RFC 9112), each response paired with its request.

A request's identity is the intent in its `Idempotency-Key` (or `X-Request-Id`) header, written in decimal; a response
has that of the oldest request of its connection that is not answered (RFC 9112, section 9.3.2). A retransmission is the
same message again, not another attempt. A response whose body ends with the connection passes in pieces without
identity, and so does whatever follows an upgrade.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from chaos.faults import Direction
from chaos.framers.message import NOTHING, STREAM_DECISIONS, Found
from nodes.wire.errors import WireError
from nodes.wire.header import operation_of

DECISIONS = STREAM_DECISIONS - {"duplicate", "reorder"}
"""A second response, or one out of order, would be taken for the answer to another request."""

IDENTITY = (b"idempotency-key", b"x-request-id")
LARGEST_HEAD = 65536
_END = b"\r\n\r\n"
_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) \S+ HTTP/1\.[01]")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: .*)?")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?")
_INTENT = re.compile(rb"[0-9]{1,18}")


class Asked(NamedTuple):
    """What a response must know of its request."""

    method: bytes
    identity: tuple[int, int] | None


class Head(NamedTuple):
    """A start line and its headers, names in small letters; `size` in bytes, the empty line included."""

    start: bytes
    headers: dict[bytes, bytes]
    size: int


class Exchanges:
    """The requests of one connection that wait for their responses, in order."""

    def __init__(self) -> None:
        self.waiting: deque[Asked] = deque()
        self.upgraded = False


class Side:
    """One direction of a connection: what has come of it and was not yet split."""

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges
        self._buffer = bytearray()

    def push(self, data: bytes) -> None:
        self._buffer += data

    def pending(self) -> bytes:
        return bytes(self._buffer)

    def _head(self) -> Head | None:
        """-> the head of the next message, None until it is whole. Raises WireError after an upgrade."""
        if self._exchanges.upgraded and self._buffer:
            raise WireError("another protocol after an upgrade")
        return _head(self._buffer)


class Requests(Side):
    """Splits what the client sends."""

    def next(self, direction: Direction) -> tuple[bytes, Found] | None:
        head = self._head()
        if head is None:
            return None
        line = _REQUEST.fullmatch(head.start)
        if line is None:
            raise WireError("no request line of HTTP/1")
        end = _body_end(self._buffer, head)
        if end is None:
            return None
        asked = Asked(line[1], _identity(head.headers))
        self._exchanges.waiting.append(asked)
        return _taken(self._buffer, end), _found(asked, slice(head.size, end))


class Responses(Side):
    """Splits what the server sends."""

    def next(self, direction: Direction) -> tuple[bytes, Found] | None:
        head = self._head()
        if head is None:
            return None
        line = _STATUS.fullmatch(head.start)
        if line is None or not self._exchanges.waiting:
            raise WireError("no status line of HTTP/1, or no request that it answers")
        asked, status = self._exchanges.waiting[0], int(line[1])
        end = self._end(head, asked, status)
        if end is None:
            return None
        if status >= 200 or status == 101:
            self._exchanges.waiting.popleft()
        self._exchanges.upgraded = status == 101 or (asked.method == b"CONNECT" and 200 <= status < 300)
        return _taken(self._buffer, end), _found(asked, slice(head.size, end))

    def _end(self, head: Head, asked: Asked, status: int) -> int | None:
        """RFC 9112, section 6.3. Raises WireError for a body that ends with the connection."""
        if asked.method == b"HEAD" or status < 200 or status in (204, 304):
            return head.size
        if asked.method == b"CONNECT" and status < 300:
            return head.size
        if b"transfer-encoding" not in head.headers and b"content-length" not in head.headers:
            raise WireError("the body ends with the connection")
        return _body_end(self._buffer, head)


def _head(buffer: bytearray) -> Head | None:
    """The head at the buffer's beginning, None while it is incomplete."""
    end = buffer.find(_END, 0, LARGEST_HEAD)
    if end < 0:
        if len(buffer) >= LARGEST_HEAD:
            raise WireError("no head of HTTP/1 within 64 KiB")
        return None
    start, *lines = bytes(buffer[:end]).split(b"\r\n")
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise WireError("a header without a colon")
        headers[name.lower()] = value.strip()
    return Head(start, headers, end + len(_END))


def _body_end(buffer: bytearray, head: Head) -> int | None:
    """Where the message ends, None while it is incomplete."""
    coding = head.headers.get(b"transfer-encoding")
    if coding is not None:
        if not coding.lower().endswith(b"chunked"):
            raise WireError("the body ends with the connection")
        return _chunked_end(buffer, head.size)
    length = head.headers.get(b"content-length", b"0")
    if not length.isdigit():
        raise WireError("a content-length that is no number")
    end = head.size + int(length)
    return end if end <= len(buffer) else None


def _chunked_end(buffer: bytearray, at: int) -> int | None:
    """RFC 9112, section 7.1: chunks, the last of size 0, then trailers up to an empty line."""
    while (line := buffer.find(b"\r\n", at)) >= 0:
        size = _SIZE.fullmatch(bytes(buffer[at:line]))
        if size is None:
            raise WireError("no chunk size where one is due")
        if int(size[1], 16) == 0:
            if buffer[line : line + 4] == _END:
                return line + 4
            end = buffer.find(_END, line)
            return end + 4 if end >= 0 else None
        at = line + 2 + int(size[1], 16) + 2
        if at > len(buffer):
            return None
    return None


def _identity(headers: dict[bytes, bytes]) -> tuple[int, int] | None:
    for name in IDENTITY:
        value = headers.get(name, b"")
        if _INTENT.fullmatch(value):
            try:
                return operation_of(int(value))
            except ValueError:
                continue
    return None


def _found(asked: Asked, body: slice) -> Found:
    body = body if body.start < body.stop else NOTHING
    if asked.identity is None:
        return Found(None, None, None, None, body)
    return Found(*asked.identity, 1, None, body)


def _taken(buffer: bytearray, end: int) -> bytes:
    data = bytes(buffer[:end])
    del buffer[:end]
    return data


def splitters() -> tuple[Requests, Responses]:
    """Of one connection, in both directions."""
    exchanges = Exchanges()
    return Requests(exchanges), Responses(exchanges)
