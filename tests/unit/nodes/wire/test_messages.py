"""Messages of sockets, and where they end in a stream."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.wire.errors import WireError
from nodes.wire.messages import (
    LIMIT,
    SPLITTERS,
    STREAMED,
    Lengths,
    Lines,
    Message,
    Reads,
    decode,
    delivered,
    encode,
    wrap,
)

every = pytest.mark.parametrize("protocol", STREAMED)


def test_a_message_is_a_line_of_text() -> None:
    assert encode(10_101, 3, b"\0\xff") == b"10101 3 00ff"
    assert decode(b"10101 3 00ff") == Message(10_101, 3, b"\0\xff", 8)
    assert decode(encode(1, 2**32 - 1, b"")) == Message(1, 2**32 - 1, b"", 13)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"10101 3",
        b"10101 3 0",
        b"10101 3 0g",
        b"10101 3 AB",
        b"10101 3 00\n",
        b" 10101 3 00",
        b"10101  3 00",
        b"0 3 00",
        b"10101 0 00",
        b"-1 3 00",
        b"10101 4294967296 00",
        b"99999999999 1 00",
        "١ 1 00".encode(),
        b"\xff\xfe",
    ],
)
def test_nothing_else_is_one(data: bytes) -> None:
    with pytest.raises(WireError):
        decode(data)


def test_what_is_sent_to_a_group_has_a_number_for_each_member() -> None:
    message = Message(10_101, 4, b"a", 8)
    assert [delivered(message, member).number for member in range(3)] == [4, 5, 6]
    assert delivered(message, 0) == message
    with pytest.raises(WireError, match="above 4294967295"):
        delivered(Message(1, 2**32 - 1, b""), 1)


def test_where_it_ends_is_said_by_a_line_feed_or_a_length() -> None:
    assert wrap("lines", b"1 1 ab") == b"1 1 ab\n"
    assert wrap("lengths", b"1 1 ab") == b"\0\0\0\x06" + b"1 1 ab"
    assert wrap("datagrams", b"1 1 ab") == b"1 1 ab"


@every
@given(messages=st.lists(st.binary(max_size=9).map(bytes.hex), max_size=6), data=st.data())
@settings(max_examples=100, deadline=None)
def test_however_a_stream_is_split_its_messages_are_the_same(
    protocol: str, messages: list[str], data: st.DataObject
) -> None:
    sent = [message.encode() for message in messages]
    stream = b"".join(wrap(protocol, message) for message in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    splitter = SPLITTERS[protocol]()
    found: list[bytes] = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += splitter.feed(stream[start:stop])
    assert found == sent
    assert (splitter.pending(), splitter.kept) == (b"", 0)


@every
def test_a_piece_says_what_came_and_where_its_message_begins(protocol: str) -> None:
    splitter = SPLITTERS[protocol]()
    raw = wrap(protocol, b"1 1 ab")
    splitter.push(raw + raw[:-2])
    piece = splitter.next()
    assert piece is not None
    assert (piece.raw, piece.message) == (raw, b"1 1 ab")
    assert piece.raw[piece.start :].startswith(b"1 1 ab")
    assert splitter.next() is None
    assert (splitter.pending(), splitter.kept) == (raw[:-2], len(raw) - 2)


def test_a_line_may_be_as_long_as_the_limit_line_feed_included() -> None:
    assert list(Lines().feed(bytes(LIMIT - 1) + b"\n")) == [bytes(LIMIT - 1)]
    with pytest.raises(WireError, match="a line of more than"):
        list(Lines().feed(bytes(LIMIT)))
    with pytest.raises(WireError, match="a line of more than"):
        list(Lines().feed(bytes(LIMIT) + b"\n"))


def test_a_length_may_be_the_limit_its_own_bytes_included() -> None:
    assert list(Lengths().feed(wrap("lengths", bytes(LIMIT - 4)))) == [bytes(LIMIT - 4)]
    with pytest.raises(WireError, match=f"at most {LIMIT} are allowed"):
        list(Lengths().feed((LIMIT - 3).to_bytes(4, "big")))


@every
def test_messages_in_front_of_a_bad_one_are_delivered(protocol: str) -> None:
    bad = bytes(LIMIT) if protocol == "lines" else b"\xff" * 4
    found = SPLITTERS[protocol]().feed(wrap(protocol, b"good") + bad)
    assert next(found) == b"good"
    with pytest.raises(WireError):
        next(found)


def test_where_boundaries_are_kept_a_read_is_a_message() -> None:
    splitter = Reads()
    assert list(splitter.feed(b"one")) == [b"one"]
    assert list(splitter.feed(b"another")) == [b"another"]
    assert splitter.next() is None
