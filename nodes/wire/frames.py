"""PURE: control frames: a length (u32, big-endian) and one msgpack map with string keys.

The limit holds for the payload. A length above it is refused before a byte of the payload is kept, so a peer
cannot make us buffer more than the limit.
"""

from __future__ import annotations

import struct
from typing import Any

import msgpack

MAXIMUM = 1024 * 1024
_LENGTH = struct.Struct(">I")

Frame = dict[str, Any]


class FrameError(ValueError):
    """Bytes that are no control frame. Nothing after them can be trusted: the connection is to be closed."""


class FrameTooLarge(FrameError):
    """A frame above the limit, sent or received."""


def encode(message: Frame, limit: int = MAXIMUM) -> bytes:
    """The frame of `message`. Raises FrameTooLarge, and TypeError for a value that msgpack does not have."""
    payload: bytes = msgpack.packb(message, use_bin_type=True)
    if len(payload) > limit:
        raise FrameTooLarge(f"the message has {len(payload)} bytes, a control frame at most {limit}")
    return _LENGTH.pack(len(payload)) + payload


def _decode(payload: bytes) -> Frame:
    try:
        # Python's own stack is not at risk: msgpack bounds the nesting and reports it as a ValueError.
        message = msgpack.unpackb(payload, raw=False, strict_map_key=True)
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise FrameError(f"a control frame of {len(payload)} bytes is not msgpack: {error or 'malformed'}") from error
    if not isinstance(message, dict):
        raise FrameError(f"a control frame must be a map, this is a {type(message).__name__}")
    if not all(isinstance(key, str) for key in message):
        raise FrameError("a control frame's keys must be strings")
    return message


class Splitter:
    """Cuts a byte stream into frames; `limit` may be changed between two calls of `feed`."""

    def __init__(self, limit: int = MAXIMUM) -> None:
        self.limit = limit
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """How many bytes of an incomplete frame wait for their rest."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes. Raises FrameError; the splitter is then of no further use."""
        self.push(data)
        frames = []
        while (frame := self.next()) is not None:
            frames.append(frame)
        return frames

    def push(self, data: bytes) -> None:
        """Keep `data` without cutting it: for a reader whose limit depends on what `next` returned before."""
        self._buffer += data

    def next(self) -> Frame | None:
        """The next complete frame among the bytes kept, or None. Raises FrameError."""
        buffer = self._buffer
        if len(buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(buffer)
        if length > self.limit:
            raise FrameTooLarge(f"a frame announces {length} bytes, at most {self.limit} are allowed here")
        end = _LENGTH.size + length
        if len(buffer) < end:
            return None
        payload = bytes(buffer[_LENGTH.size : end])
        del buffer[:end]
        return _decode(payload)
