"""PURE: the identity of a socket's message: its client and its number. It is sent once, so its attempt is the first."""

from __future__ import annotations

from chaos.framers.message import Found
from chaos.framers.shells import found
from chaos.identity import Direction
from nodes.wire.messages import Splitter, decode, delivered


def identify(data: bytes, direction: Direction, member: int = 0) -> Found:
    """Raises WireError for what is no message."""
    client, number, _, place = delivered(decode(data), member)
    return Found(client, number, 1, None, slice(place, len(data)))


class Pieces:
    """Splits a stream as its receiver does."""

    def __init__(self, splitter: Splitter) -> None:
        self._splitter = splitter

    def push(self, data: bytes) -> None:
        self._splitter.push(data)

    def next(self, direction: Direction) -> tuple[bytes, Found] | None:
        piece = self._splitter.next()
        if piece is None:
            return None
        place = found(identify, piece.message, direction)
        body = slice(place.body.start + piece.start, place.body.stop + piece.start)
        return piece.raw, place._replace(body=body)

    def pending(self) -> bytes:
        return self._splitter.pending()
