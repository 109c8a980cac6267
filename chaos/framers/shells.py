"""PURE: what the framers of all protocols share: how a stream or a datagram becomes messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from chaos.framers.message import DATAGRAM_DECISIONS, STREAM_DECISIONS, UNKNOWN, Found, Message
from chaos.identity import Direction
from nodes.wire.errors import WireError

Identify = Callable[[bytes, Direction], Found]
"""Looks at one whole message; raises WireError for what is none of its protocol."""


class Splitter(Protocol):
    """Cuts a stream: `next` gives (bytes as they came, identity) of the next complete message, or None."""

    def push(self, data: bytes) -> None: ...

    def next(self, direction: Direction) -> tuple[bytes, Found] | None: ...

    def pending(self) -> bytes: ...


class WireProtocol(NamedTuple):
    """What the file of a protocol says of it, as `PROTOCOL`."""

    codec: str
    """Its name in a scenario."""
    streams: Callable[[], tuple[Splitter, Splitter]] | None
    """What splits requests and replies of one connection; None: no stream carries it."""
    datagrams: Callable[[int], Identify] | None = None
    """What looks at those of one direction: requests on their way to that member of a group (from 0), 0 for others."""
    decisions: frozenset[str] = STREAM_DECISIONS
    """What it allows on a stream."""
    foreign: bool = False
    """Whether systems that are not ours speak it."""
    identifies: bool = True
    """Whether a message names the operation of its client."""


class StreamFramer:
    """Splits until bytes come that are no message, or too many: from there on every chunk passes as one unidentified
    message, and `problem` says why."""

    def __init__(self, splitter: Splitter, decisions: frozenset[str] = STREAM_DECISIONS) -> None:
        self.decisions = decisions
        self.problem: str | None = None
        self._splitter = splitter

    def feed(self, data: bytes, direction: Direction) -> list[Message]:
        if self.problem is not None:
            return [Message(data, direction, *UNKNOWN)]
        self._splitter.push(data)
        messages: list[Message] = []
        try:
            while (piece := self._splitter.next(direction)) is not None:
                messages.append(Message(piece[0], direction, *piece[1]))
        except WireError as error:
            self.problem = str(error)
            messages.append(Message(self._splitter.pending(), direction, *UNKNOWN))
            self._splitter = Nothing()
        return messages

    def pending(self) -> bytes:
        return self._splitter.pending()


class Nothing:
    """What is left of a splitter that is of no further use: its buffers are not kept."""

    def push(self, data: bytes) -> None:
        """Nothing is split any more."""

    def next(self, direction: Direction) -> None:
        return None

    def pending(self) -> bytes:
        return b""


class DatagramFramer:
    """One message a datagram, whatever it holds."""

    decisions = DATAGRAM_DECISIONS
    problem: str | None = None

    def __init__(self, identify: Identify) -> None:
        self._identify = identify

    def feed(self, data: bytes, direction: Direction) -> list[Message]:
        return [Message(data, direction, *found(self._identify, data, direction))]

    def pending(self) -> bytes:
        return b""


def found(identify: Identify, data: bytes, direction: Direction) -> Found:
    """A message that is not what its protocol says has no identity, and passes."""
    try:
        return identify(data, direction)
    except WireError:
        return UNKNOWN
