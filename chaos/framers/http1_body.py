"""PURE: where an HTTP/1 message ends (RFC 9112, sections 6 and 7). What was looked at is not looked at again."""

from __future__ import annotations

import re

from chaos.framers.message import require_bounded
from nodes.wire.errors import WireError

LARGEST_HEAD = 65536
"""Bytes of a head, and of what may follow the last chunk."""
LARGEST_LINE = 4096
"""Bytes of the line in front of a chunk, extensions included."""
CRLF = b"\r\n"
END = CRLF + CRLF
_LENGTH = re.compile(rb"[0-9]{1,18}")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;.*)?")


class Body:
    """A message that ends after so many bytes, its head included."""

    def __init__(self, end: int = 0) -> None:
        require_bounded(end)
        self._end = end

    def end(self, buffer: bytearray) -> int | None:
        """Where the message ends, None while it is incomplete."""
        return self._end if self._end <= len(buffer) else None


class Chunks(Body):
    """Section 7.1: chunks, the last of size 0, then trailers up to an empty line."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at
        self._last = False

    def end(self, buffer: bytearray) -> int | None:
        while not self._last:
            if not self._chunk(buffer):
                return None
        end = buffer.find(END, self._at, self._at + LARGEST_HEAD)
        if end < 0 and len(buffer) - self._at >= LARGEST_HEAD:
            raise WireError("no end of a chunked body's trailers within 64 KiB")
        return end + len(END) if end >= 0 else None

    def _chunk(self, buffer: bytearray) -> bool:
        """Go past one chunk -> whether it was whole."""
        line = buffer.find(CRLF, self._at, self._at + LARGEST_LINE)
        if line < 0:
            if len(buffer) - self._at >= LARGEST_LINE:
                raise WireError(f"no chunk size within {LARGEST_LINE} bytes")
            return False
        size = _SIZE.fullmatch(buffer, self._at, line)
        if size is None:
            raise WireError("no chunk size where one is due")
        count = int(size[1], 16)
        if count == 0:
            self._at, self._last = line, True  # an empty line may follow at once
            return True
        end = line + len(CRLF) + count + len(CRLF)
        require_bounded(end)
        if end > len(buffer):
            return False
        if buffer[end - len(CRLF) : end] != CRLF:
            raise WireError("a chunk does not end where its size says")
        self._at = end
        return True


def body(headers: dict[bytes, bytes], size: int, *, old: bool) -> Body:
    """What follows a head of `size` bytes; `old` for HTTP/1.0. Raises WireError for what can be read in two ways."""
    coding, length = headers.get(b"transfer-encoding"), headers.get(b"content-length")
    if coding is not None:
        if old or length is not None:
            raise WireError("a transfer coding beside a length, or in HTTP/1.0")
        *others, last = (each.strip(b" \t") for each in coding.lower().split(b","))
        if last != b"chunked" or last in others:
            raise WireError("the body ends with the connection, or is coded in a way of its own")
        return Chunks(size)
    if length is None:
        return Body(size)
    if not _LENGTH.fullmatch(length):
        raise WireError(f"{length[:20]!r} is no content length")
    return Body(size + int(length))
