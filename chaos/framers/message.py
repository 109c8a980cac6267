"""PURE: what a framer finds."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from chaos.faults import messages, paths
from chaos.faults.fault import RelayFault
from chaos.faults.rooms import kinds
from chaos.identity import Direction
from nodes.wire.errors import WireError

NOTHING = slice(0, 0)
KINDS = kinds(RelayFault, messages, paths)
"""The faults of a relay, by the names that they travel under."""
STREAM_DECISIONS = frozenset(kind.verb for kind in KINDS.values())
DATAGRAM_DECISIONS = frozenset(kind.verb for kind in KINDS.values() if not kind.of_streams)

LARGEST_MESSAGE = 4 << 20
"""Bytes of a message that are kept until it is whole. Calls, answers and documents are smaller; a longer one (an
upload, an image) would cost each connection its size. For our own protocols nodes/wire has a lower limit."""


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

    @property
    def problem(self) -> str | None:
        """Why nothing of this stream is identified any more; None while messages are found."""

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


def require_bounded(size: int) -> None:
    """Raises WireError for a message of at least `size` bytes that is not kept until it is whole."""
    if size > LARGEST_MESSAGE:
        raise WireError(f"a message of at least {size} bytes: at most {LARGEST_MESSAGE} are kept until it is whole")
