"""PURE: HTTP/1.0 and 1.1 messages on a stream (RFC 9112), each response paired with its request.

A request's identity is the intent in its `Idempotency-Key` (or `X-Request-Id`) header, written in decimal; a response
has that of the oldest request of its connection that is not answered (RFC 9112, section 9.3.2). A retransmission is the
same message again, not another attempt. A response whose body ends with the connection passes in pieces without
identity, and so does whatever follows an upgrade, and what two readers could split in two ways.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from typing import NamedTuple

from chaos.framers.http1_body import CRLF, END, LARGEST_HEAD, Body, body
from chaos.framers.message import NOTHING, STREAM_DECISIONS, Found, require_bounded
from chaos.framers.shells import WireProtocol
from chaos.identity import Direction
from nodes.wire.errors import WireError
from nodes.wire.header import operation_of

DECISIONS = STREAM_DECISIONS - {"duplicate", "reorder"}
"""A second response, or one out of order, would be taken for the answer to another request."""

IDENTITY = (b"idempotency-key", b"x-request-id")
LARGEST_WAITING = 1024
"""Requests of one connection that wait for their responses; each is remembered, however small it was."""
_REQUEST = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) \S+ HTTP/1\.([01])")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: .*)?")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_INTENT = re.compile(rb"[0-9]{1,18}")
_LONE = re.compile(rb"(?<!\r)\n|\r[^\n]")
"""A line break that some readers take for one and others do not (RFC 9112, section 2.2)."""


class Asked(NamedTuple):
    """What a response must know of its request."""

    method: bytes
    identity: tuple[int, int] | None


class Exchanges:
    """The requests of one connection that wait for their responses, in order."""

    def __init__(self) -> None:
        self.waiting: deque[Asked] = deque()
        self.upgraded = False


class Side(ABC):
    """One direction of a connection: what has come of it and was not yet split."""

    start: re.Pattern[bytes]
    _asked: Asked
    """With `_body`: of the message whose head is whole."""
    _body: Body

    def __init__(self, exchanges: Exchanges) -> None:
        self._exchanges = exchanges
        self._buffer = bytearray()
        self._searched = 0  # bytes in which no head ends
        self._size = 0  # bytes of the head, 0 until it is whole

    def push(self, data: bytes) -> None:
        self._buffer += data

    def pending(self) -> bytes:
        return bytes(self._buffer)

    def next(self, direction: Direction) -> tuple[bytes, Found] | None:
        if not self._size and not self._begin():
            return None
        end = self._body.end(self._buffer)
        if end is None:
            require_bounded(len(self._buffer))
            return None
        data = bytes(self._buffer[:end])
        del self._buffer[:end]
        found = _found(self._asked, slice(self._size, end))
        self._size = self._searched = 0
        self.passed(self._asked)
        return data, found

    def _begin(self) -> bool:
        """-> whether the next message's head is whole; then what it says is known. Raises WireError."""
        size = self._head_end()
        if size is None:
            return False
        first, *lines = bytes(self._buffer[: size - len(END)]).split(CRLF)
        line = self.start.fullmatch(first)
        if line is None:
            raise WireError(f"no first line of HTTP/1: {first[:40]!r}")
        self._asked, self._body = self.read(line, _headers(lines), size)
        self._size = size
        return True

    def _head_end(self) -> int | None:
        """How many bytes the head has, its empty line included; None while it is incomplete."""
        buffer = self._buffer
        if self._exchanges.upgraded and buffer:
            raise WireError("another protocol after an upgrade")
        end = buffer.find(END, max(0, self._searched - len(END)), LARGEST_HEAD)
        stop = end if end >= 0 else min(len(buffer), LARGEST_HEAD)
        if _LONE.search(buffer, max(0, self._searched - 1), stop):
            raise WireError("a line of the head does not end with CR LF")
        if end >= 0:
            return end + len(END)
        line = buffer.find(CRLF, 0, stop)
        if line >= 0 and not self.start.fullmatch(buffer, 0, line):
            raise WireError(f"no first line of HTTP/1: {bytes(buffer[: min(line, 40)])!r}")
        if len(buffer) >= LARGEST_HEAD:
            raise WireError("no head of HTTP/1 within 64 KiB")
        self._searched = len(buffer)
        return None

    @abstractmethod
    def read(self, line: re.Match[bytes], headers: dict[bytes, bytes], size: int) -> tuple[Asked, Body]:
        """What a message that begins so is about, and where it ends. Raises WireError."""

    @abstractmethod
    def passed(self, asked: Asked) -> None:
        """The message is whole."""


class Requests(Side):
    """Splits what the client sends."""

    start = _REQUEST

    def read(self, line: re.Match[bytes], headers: dict[bytes, bytes], size: int) -> tuple[Asked, Body]:
        if len(self._exchanges.waiting) >= LARGEST_WAITING:
            raise WireError(f"more than {LARGEST_WAITING} requests wait for their responses")
        return Asked(line[1], _identity(headers)), body(headers, size, old=line[2] == b"0")

    def passed(self, asked: Asked) -> None:
        self._exchanges.waiting.append(asked)


class Responses(Side):
    """Splits what the server sends."""

    start = _STATUS
    _status: int

    def read(self, line: re.Match[bytes], headers: dict[bytes, bytes], size: int) -> tuple[Asked, Body]:
        """RFC 9112, section 6.3. Raises WireError for a body that ends with the connection."""
        if not self._exchanges.waiting:
            raise WireError("a response without a request that it answers")
        asked, status = self._exchanges.waiting[0], int(line[2])
        self._status = status
        if asked.method == b"HEAD" or status < 200 or status in (204, 304) or self._connected(asked):
            return asked, Body(size)
        if b"transfer-encoding" not in headers and b"content-length" not in headers:
            raise WireError("the body ends with the connection")
        return asked, body(headers, size, old=line[1] == b"0")

    def passed(self, asked: Asked) -> None:
        if self._status >= 200 or self._status == 101:
            self._exchanges.waiting.popleft()
        self._exchanges.upgraded = self._status == 101 or self._connected(asked)

    def _connected(self, asked: Asked) -> bool:
        return asked.method == b"CONNECT" and 200 <= self._status < 300


def _headers(lines: list[bytes]) -> dict[bytes, bytes]:
    """Names in small letters; values of one name are joined (RFC 9110, section 5.3). Raises WireError."""
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.fullmatch(name):
            raise WireError(f"no header: {line[:40]!r}")
        name, value = name.lower(), value.strip(b" \t")
        headers[name] = headers[name] + b", " + value if name in headers else value
    return headers


def _identity(headers: dict[bytes, bytes]) -> tuple[int, int] | None:
    for name in IDENTITY:
        value = headers.get(name, b"")
        if _INTENT.fullmatch(value):
            try:
                return operation_of(int(value))
            except ValueError:
                continue
    return None


def _found(asked: Asked, span: slice) -> Found:
    span = span if span.start < span.stop else NOTHING
    if asked.identity is None:
        return Found(None, None, None, None, span)
    return Found(*asked.identity, 1, None, span)


def splitters() -> tuple[Requests, Responses]:
    """Of one connection, in both directions."""
    exchanges = Exchanges()
    return Requests(exchanges), Responses(exchanges)


PROTOCOL = WireProtocol("http1", splitters, decisions=DECISIONS, foreign=True)
