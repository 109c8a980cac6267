"""PURE: ONC RPC messages, in records on a stream or one a datagram.

The layout of our messages is fixed up to the body, so only that much is looked at.
"""

from __future__ import annotations

from chaos.faults import Direction
from chaos.framers.message import NOTHING, Found
from chaos.framers.shells import found
from nodes.wire.oncrpc import Accept, decode_call, decode_reply
from nodes.wire.record_marking import MARK_SIZE, RecordMarking


def identify(data: bytes, direction: Direction) -> Found:
    """Raises WireError for what is no ONC RPC call (request) or reply (reply)."""
    if direction == "request":
        call = decode_call(data)
        body = slice(len(data) - len(call.body), len(data))
        if call.header is None:
            return Found(None, None, None, None, body)
        return Found(call.header.client, call.header.seq, call.header.attempt, call.header.first, body)
    reply = decode_reply(data)
    body = slice(len(data) - len(reply.body), len(data)) if reply.accept is Accept.SUCCESS else NOTHING
    if reply.header is None:
        return Found(None, None, None, None, body)
    return Found(reply.header.client, reply.header.seq, reply.header.attempt, None, body)


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
        identity = found(identify, record.payload, direction)
        return record.raw, identity._replace(body=_behind_mark(identity.body, record.first))

    def pending(self) -> bytes:
        return self._marking.pending()


def _behind_mark(body: slice, first: int) -> slice:
    """The span in the bytes that came. Of several fragments only the first counts: marks lie between the others."""
    start, stop = body.start, min(body.stop, first)
    return slice(start + MARK_SIZE, stop + MARK_SIZE) if start < stop else NOTHING
