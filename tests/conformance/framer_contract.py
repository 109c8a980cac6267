"""What every framer does with valid messages of its protocol. (What none does with any bytes: test_mutated_framers.)

Each check takes what makes fresh framers of a connection, valid messages of both directions, and whether they are a
stream; it fails by an assertion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from chaos.framers import Framer, Framers, Message
from chaos.framers.message import DATAGRAM_DECISIONS, STREAM_DECISIONS
from chaos.identity import Direction


class Case(NamedTuple):
    make: Callable[[], Framers]
    valid: Mapping[Direction, Sequence[bytes]]
    stream: bool


def each_message_is_found_by_itself(case: Case) -> None:
    for messages, valid in zip(_found(case, _apart), case.valid.values(), strict=True):
        assert [message.data for message in messages] == list(valid)


def however_bytes_come_the_messages_are_the_same(case: Case) -> None:
    if case.stream:
        whole = _found(case, _apart)
        assert _found(case, _together) == whole
        assert _found(case, _byte_by_byte) == whole


def an_identity_is_whole_and_a_body_lies_in_its_message(case: Case) -> None:
    for message in chain.from_iterable(_found(case, _apart)):
        assert (message.client is None) == (message.seq is None) == (message.attempt is None)
        assert 0 <= message.body.start <= message.body.stop <= len(message.data)


def a_message_that_is_not_whole_is_kept(case: Case) -> None:
    if case.stream:
        for first in case.valid["request"]:
            framer = case.make()["request"]
            assert framer.feed(first[:-1], "request") == []
            assert framer.pending() == first[:-1]


def connections_and_directions_share_nothing(case: Case) -> None:
    first, second = case.make(), case.make()
    first["request"].feed(case.valid["request"][0][:-1], "request")
    assert [framer.pending() for framer in (second["request"], second["reply"], first["reply"])] == [b"", b"", b""]
    assert _one_of(second["request"], case, "request").data == case.valid["request"][0]


def what_is_allowed_is_what_faults_can_do(case: Case) -> None:
    for framer in case.make().values():
        assert framer.decisions
        assert framer.decisions <= (STREAM_DECISIONS if case.stream else DATAGRAM_DECISIONS)


CHECKS = (
    each_message_is_found_by_itself,
    however_bytes_come_the_messages_are_the_same,
    an_identity_is_whole_and_a_body_lies_in_its_message,
    a_message_that_is_not_whole_is_kept,
    connections_and_directions_share_nothing,
    what_is_allowed_is_what_faults_can_do,
)

Pieces = Callable[[Sequence[bytes]], Sequence[bytes]]


def _apart(valid: Sequence[bytes]) -> Sequence[bytes]:
    return valid


def _together(valid: Sequence[bytes]) -> Sequence[bytes]:
    return [b"".join(valid)]


def _byte_by_byte(valid: Sequence[bytes]) -> Sequence[bytes]:
    return [bytes([byte]) for byte in b"".join(valid)]


def _found(case: Case, pieces: Pieces) -> list[list[Message]]:
    """The messages of one connection, requests and then replies. Nothing is left over, and all is understood."""
    framers, found = case.make(), []
    for direction, valid in case.valid.items():
        framer = framers[direction]
        found.append([message for piece in pieces(valid) for message in framer.feed(piece, direction)])
        assert (framer.pending(), framer.problem) == (b"", None)
    return found


def _one_of(framer: Framer, case: Case, direction: Direction) -> Message:
    [message] = framer.feed(case.valid[direction][0], direction)
    return message
