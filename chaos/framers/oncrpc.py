"""PURE: ONC RPC messages, in records on a stream or one a datagram.

The layout of our messages is fixed up to the body, so only that much is looked at.
"""

from __future__ import annotations

from chaos.framers.message import NOTHING, Found
from chaos.framers.shells import WireProtocol, found
from chaos.identity import Direction
from nodes.wire.oncrpc import (
    OUR_CALL_SIZE,
    OUR_REPLY_SIZE,
    Accept,
    decode_call,
    decode_reply,
    our_call,
    our_reply,
)
from nodes.wire.record_marking import MARK_SIZE, RecordMarking


def identify(data: bytes, direction: Direction) -> Found:
    """Raises WireError for what is no ONC RPC call (request) or reply (reply)."""
    if direction == "request":
        return _call(data)
    ours = our_reply(data)
    if ours is not None:
        return Found(*ours, None, slice(OUR_REPLY_SIZE, len(data)))
    reply = decode_reply(data)
    body = slice(len(data) - len(reply.body), len(data)) if reply.accept is Accept.SUCCESS else NOTHING
    if reply.header is None:
        return Found(None, None, None, None, body)
    return Found(reply.header.client, reply.header.seq, reply.header.attempt, None, body)


def _call(data: bytes) -> Found:
    ours = our_call(data)
    if ours is not None:
        return Found(*ours, slice(OUR_CALL_SIZE, len(data)))
    foreign = decode_call(data)
    return Found(None, None, None, None, slice(len(data) - len(foreign.body), len(data)))


class Records:
    """Splits a stream by record marks."""

    def __init__(self) -> None:
        self._marking = RecordMarking()

    def push(self, data: bytes) -> None:
        self._marking.push(data)

    def next(self, direction: Direction) -> tuple[bytes, Found] | None:
        record = self._marking.next()
        if record is None:
            return None
        place = found(identify, record.payload, direction)
        body = _behind_mark(place.body, record.first)
        return record.raw, Found(place.client, place.seq, place.attempt, place.first, body)

    def pending(self) -> bytes:
        return self._marking.pending()


def _behind_mark(body: slice, first: int) -> slice:
    """The span in the bytes that came. Of several fragments only the first counts: marks lie between the others."""
    start, stop = body.start, min(body.stop, first)
    return slice(start + MARK_SIZE, stop + MARK_SIZE) if start < stop else NOTHING


PROTOCOL = WireProtocol("xdr", lambda: (Records(), Records()), lambda _: identify)
