"""PURE: MessagePack-RPC messages, one behind the other on a stream or one a datagram.

A message is read only up to its body; the rest is skipped.
"""

from __future__ import annotations

from typing import Any

import msgpack

from chaos.framers.message import NOTHING, Found
from chaos.framers.shells import WireProtocol, found
from chaos.identity import Direction
from nodes.wire.errors import WireError
from nodes.wire.header import ReplyHeader
from nodes.wire.msgpackrpc import MALFORMED, NOTIFICATION, REQUEST, RESPONSE, Messages, call_header, reply_header

_READ_SIZE = 4096
_HEADED = b"\x92\x97"  # an array of two that begins with an array of seven: [header, value]


class Reader:
    """Finds identity and body of whole messages. It keeps one unpacker, which costs more to make than to use."""

    def __init__(self) -> None:
        self._unpacker = _unpacker()

    def identify(self, data: bytes, direction: Direction) -> Found:
        """Raises WireError for what is no call (request) or response (reply)."""
        unpacker = self._unpacker
        start: int = unpacker.tell()
        try:
            unpacker.feed(data)
            identity = _call(unpacker, start) if direction == "request" else _reply(unpacker, start, data)
            if unpacker.tell() - start == len(data):
                return identity
        except (*MALFORMED, msgpack.OutOfData) as error:
            self._unpacker = _unpacker()  # the old one stands somewhere within these bytes
            raise WireError(f"no MessagePack-RPC message: {error or type(error).__name__}") from error
        self._unpacker = _unpacker()
        raise WireError("bytes follow the message")


def _unpacker() -> Any:
    return msgpack.Unpacker(read_size=_READ_SIZE, max_buffer_size=0, use_list=False)


def _call(unpacker: Any, start: int) -> Found:
    fields = unpacker.read_array_header()
    kind = unpacker.unpack()
    if (kind, fields) not in ((REQUEST, 4), (NOTIFICATION, 3)):
        raise WireError("expected a call")
    for _ in range(fields - 2):  # msgid, which a notification lacks, and method
        unpacker.unpack()
    parameters = unpacker.read_array_header()
    begin = unpacker.tell() - start
    header = call_header(unpacker.unpack()) if parameters else None
    if header is not None:
        begin = unpacker.tell() - start
    for _ in range(parameters - 1):
        unpacker.skip()
    body = slice(begin, unpacker.tell() - start)
    return Found(*header[:4], body) if header is not None else Found(None, None, None, None, body)


def _reply(unpacker: Any, start: int, data: bytes) -> Found:
    fields = unpacker.read_array_header()
    kind = unpacker.unpack()
    if (kind, fields) != (RESPONSE, 4):
        raise WireError("expected a response")
    unpacker.skip()  # msgid
    error = unpacker.unpack()
    if error is not None:
        unpacker.skip()
        pair = error.__class__ is tuple and len(error) == 2
        return _answer(reply_header(error[0]) if pair else None, NOTHING)
    begin = unpacker.tell() - start
    header = None
    if data[begin : begin + 2] == _HEADED:
        unpacker.read_array_header()
        header = reply_header(unpacker.unpack())
        if header is not None:
            begin = unpacker.tell() - start
    unpacker.skip()
    return _answer(header, slice(begin, unpacker.tell() - start))


def _answer(header: ReplyHeader | None, body: slice) -> Found:
    if header is None:
        return Found(None, None, None, None, body)
    return Found(header.client, header.seq, header.attempt, None, body)


class Values:
    """Splits a stream into its messages."""

    def __init__(self) -> None:
        self._messages = Messages()
        self._reader = Reader()

    def push(self, data: bytes) -> None:
        self._messages.push(data)

    def next(self, direction: Direction) -> tuple[bytes, Found] | None:
        message = self._messages.next()
        return None if message is None else (message, found(self._reader.identify, message, direction))

    def pending(self) -> bytes:
        return self._messages.pending()


PROTOCOL = WireProtocol("msgpack", lambda: (Values(), Values()), lambda _: Reader().identify)
