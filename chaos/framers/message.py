"""PURE: what a framer finds."""

from __future__ import annotations

from typing import NamedTuple, Protocol, get_args

from chaos.faults import Direction, RelayFault

NOTHING = slice(0, 0)
STREAM_DECISIONS = frozenset(fault.__name__.lower() for fault in get_args(RelayFault))
DATAGRAM_DECISIONS = STREAM_DECISIONS - {"cut"}


class Message(NamedTuple):
    """`data` is everything to forward; `body` the span of its arguments' or result's bytes.

    client, seq and attempt are None for what carries no header of ours; `first` is None in replies too.
    """

    data: bytes
    direction: Direction
    client: int | None
    seq: int | None
    attempt: int | None
    first: int | None
    body: slice


class Framer(Protocol):
    """Of one direction of one connection; the concatenated data of its messages and `pending` is what it was fed."""

    @property
    def decisions(self) -> frozenset[str]:
        """The kinds of faults, in lower case, that its protocol allows."""

    def feed(self, data: bytes, direction: Direction) -> list[Message]:
        """The messages that `data` completes: bytes of a stream, or one datagram."""

    def pending(self) -> bytes:
        """What came of an incomplete message."""


class Found(NamedTuple):
    """A message's identity, and where its body lies in the bytes that were looked at."""

    client: int | None
    seq: int | None
    attempt: int | None
    first: int | None
    body: slice


UNKNOWN = Found(None, None, None, None, NOTHING)
