"""PURE: MessagePack-RPC messages, with our headers: the call's as first parameter, the reply's beside its result.

    [0, msgid, method, [header, ...parameters]]    [1, msgid, nil, [header, value]]    [2, method, [...parameters]]
                                                   [1, msgid, [header, text], nil]

A header is the array of its fields. `msgid` is the attempt's xid. There is no length prefix. Source: the
MessagePack-RPC specification (github.com/msgpack-rpc/msgpack-rpc, spec.md). Everything raises WireError.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgpack

from nodes.wire.errors import WireError, shown
from nodes.wire.header import CALL_LAYOUT, REPLY_LAYOUT, CallHeader, ReplyHeader, Status

LIMIT = 1 << 20
REQUEST, RESPONSE, NOTIFICATION = 0, 1, 2

_pack = msgpack.Packer(use_bin_type=True).pack  # one for all: making one costs more than packing does
_unpack = msgpack.unpackb
MALFORMED = (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException)
_ARRAY_STARTS = frozenset(b"\x93\x94\xdc\xdd")  # of three, of four, of a length that follows in two or four bytes
_READ_SIZE = 16384
_LAST_STATUS = max(Status)


class MpCall(NamedTuple):
    """`msgid` is None for a notification, `header` None for a call that is not ours."""

    msgid: int | None
    method: str
    header: CallHeader | None
    parameters: tuple[Any, ...]


class MpReply(NamedTuple):
    """`error` is None for success; with a header it is the text."""

    msgid: int
    header: ReplyHeader | None
    error: Any
    value: Any


def encode_call(msgid: int, method: str, header: CallHeader | None, parameters: tuple[Any, ...]) -> bytes:
    return _packed((REQUEST, msgid, method, parameters if header is None else (header, *parameters)))


def encode_reply(msgid: int, header: ReplyHeader | None, value: Any) -> bytes:
    return _packed((RESPONSE, msgid, None, value if header is None else (header, value)))


def encode_error(msgid: int, header: ReplyHeader | None, text: str) -> bytes:
    return _packed((RESPONSE, msgid, text if header is None else (header, text), None))


def _packed(message: tuple[Any, ...]) -> bytes:
    try:
        data: bytes = _pack(message)
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(f"{shown(message)} cannot be packed: {error}") from error
    return data


def decode_call(data: bytes) -> MpCall:
    """A request or a notification; arrays are tuples."""
    message = _unpacked(data)
    msgid = _identifier(message[1]) if message[0] == REQUEST and len(message) == 4 else None
    if msgid is None and (message[0] != NOTIFICATION or len(message) != 3):
        raise WireError(f"expected [0, msgid, method, parameters], got {shown(message)}")
    method, parameters = message[-2:]
    if method.__class__ is not str or parameters.__class__ is not tuple:
        raise WireError(f"expected a method's name and an array of parameters, got {shown(message)}")
    header = call_header(parameters[0]) if parameters else None
    return MpCall(msgid, method, header, parameters if header is None else parameters[1:])


def decode_reply(data: bytes) -> MpReply:
    """A response; arrays are tuples."""
    message = _unpacked(data)
    if message[0] != RESPONSE or len(message) != 4:
        raise WireError(f"expected [1, msgid, error, result], got {shown(message)}")
    _, number, error, result = message
    msgid = _identifier(number)
    carrier = result if error is None else error
    header = reply_header(carrier[0]) if carrier.__class__ is tuple and len(carrier) == 2 else None
    if header is None:
        return MpReply(msgid, None, error, result)
    return MpReply(msgid, header, None, carrier[1]) if error is None else MpReply(msgid, header, carrier[1], None)


def call_header(value: Any) -> CallHeader | None:
    """The header that an unpacked array is, or None."""
    if value.__class__ is not tuple or not _fits(CALL_LAYOUT, value):
        return None
    return CallHeader._make(value)


def reply_header(value: Any) -> ReplyHeader | None:
    """The header that an unpacked array is, or None."""
    if value.__class__ is not tuple or not _fits(REPLY_LAYOUT, value):
        return None
    header = ReplyHeader._make(value)
    return header if header.status <= _LAST_STATUS else None


def _fits(layout: struct.Struct, fields: tuple[Any, ...]) -> bool:
    try:
        layout.pack(*fields)  # the quickest check of count, types and ranges at once
    except struct.error:
        return False
    return bool not in map(type, fields)


def _identifier(value: Any) -> int:
    if value.__class__ is not int or not 0 <= value < 1 << 32:
        raise WireError(f"msgid is {shown(value)}, expected an unsigned number of 32 bits")
    number: int = value
    return number


def _unpacked(data: bytes) -> tuple[Any, ...]:
    try:
        message = _unpack(data, use_list=False)
    except MALFORMED as error:
        raise WireError(f"not one whole msgpack value: {error or type(error).__name__}") from error
    if message.__class__ is not tuple or not message:
        raise WireError(f"expected an array of three or four, got {shown(message)}")
    array: tuple[Any, ...] = message
    return array


class Messages:
    """Splits a stream into its messages, each of at most `limit` bytes.

    Only the beginning is checked here, that it is an array; what is in it is for the decoders.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._consumed = 0
        self._unpacker = msgpack.Unpacker(read_size=_READ_SIZE, max_buffer_size=0)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that `data` completes.

        Raises WireError for bytes that are no message or too many, after the messages in front of them; this
        object is then of no further use.
        """
        self.push(data)
        return iter(self.next, None)

    def push(self, data: bytes) -> None:
        self._buffer += data
        self._unpacker.feed(data)

    def next(self) -> bytes | None:
        """The next complete message among the bytes kept, or None. Raises WireError."""
        buffer = self._buffer
        if not buffer:
            return None
        if buffer[0] not in _ARRAY_STARTS:
            raise WireError(f"byte {buffer[0]:#04x} begins no message: expected an array of three or four")
        size = self._skip()
        if size is None or size > self._limit:
            self._require_within_limit(size or len(buffer))
            return None
        message = bytes(buffer[:size])
        del buffer[:size]
        self._consumed += size
        return message

    def pending(self) -> bytes:
        """What came of an incomplete message."""
        return bytes(self._buffer)

    def _skip(self) -> int | None:
        """The size of the first message if it is complete."""
        try:
            self._unpacker.skip()
        except msgpack.OutOfData:
            return None
        except MALFORMED as error:
            raise WireError(f"not msgpack: {error or type(error).__name__}") from error
        end: int = self._unpacker.tell()
        return end - self._consumed

    def _require_within_limit(self, size: int) -> None:
        if size > self._limit:
            raise WireError(f"a message of at least {size} bytes, at most {self._limit} are allowed")
