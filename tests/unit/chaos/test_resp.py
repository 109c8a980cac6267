"""The RESP framer: where commands and replies end; none has an identity."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.framers import framers
from chaos.framers.message import LARGEST_MESSAGE
from chaos.identity import Direction

REPLIES = [
    b"+OK\r\n",
    b"-ERR no\r\n",
    b":12\r\n",
    b"$5\r\nhe\r\no\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"*2\r\n*1\r\n:1\r\n$0\r\n\r\n",
    b"%1\r\n+key\r\n~2\r\n:1\r\n:2\r\n",
    b"_\r\n",
    b",1.5\r\n",
    b"#t\r\n",
    b"(123456789012345678901\r\n",
    b"!5\r\nERR a\r\n",
    b"=7\r\ntxt:abc\r\n",
    b">2\r\n+message\r\n+hello\r\n",
    b"|1\r\n+ttl\r\n:3\r\n*1\r\n+value\r\n",
    b"*1\r\n" * 31 + b":1\r\n",
]
COMMANDS = [b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", b"PING\r\n", b"*1\r\n$4\r\nPING\r\n"]


@pytest.mark.parametrize(
    ("direction", "data", "body"),
    [
        ("reply", b"$5\r\nhe\r\no\r\n", b"he\r\no\r\n"),
        ("reply", b"+OK\r\n", b""),
        ("request", COMMANDS[0], b"$3\r\nGET\r\n$1\r\nk\r\n"),
        ("request", b"PING\r\n", b""),
    ],
)
def test_its_body_is_what_follows_its_first_line(direction: Direction, data: bytes, body: bytes) -> None:
    (found,) = framers("resp", "tcp")[direction].feed(data, direction)
    assert found.data[found.body] == body


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_ends_where_its_value_does(reply: bytes) -> None:
    found = framers("resp", "tcp")["reply"].feed(reply + b"+next\r\n", "reply")
    assert [message.data for message in found] == [reply, b"+next\r\n"]
    assert found[0].client is None


@pytest.mark.parametrize(
    "broken",
    [
        b"what\r\n",
        b"w",
        b"*x\r\n",
        b"*1\r\n" * 40,
        b"*1\r\n" * 5000,
        b"|1\r\n+a\r\n+b\r\n" * 5000 + b"*x\r\n",
        b"+" + b"x" * 65535,
        b"*1\r\n" * 32,
        b"+OK\n",
        b"$-2\r\n",
        b"$1_0\r\n",
        b"$+5\r\n",
        b"$" + b"9" * 5000 + b"\r\n",
        b"$2\r\nabc\r\n",
        f"${LARGEST_MESSAGE}\r\n".encode(),
    ],
)
def test_what_is_no_reply_passes_at_once(broken: bytes) -> None:
    framer = framers("resp", "tcp")["reply"]
    assert b"".join(message.data for message in framer.feed(broken, "reply")) == broken
    assert [message.data for message in framer.feed(b"*", "reply")] == [b"*"]


def test_a_line_may_have_64_kib() -> None:
    line = b"+" + b"x" * 65533 + b"\r\n"
    assert [message.data for message in framers("resp", "tcp")["reply"].feed(line + b"+OK", "reply")] == [line]


def test_replies_are_paired_by_order_alone() -> None:
    assert not framers("resp", "tcp")["reply"].decisions & {"duplicate", "reorder"}


@given(st.lists(st.sampled_from(REPLIES), min_size=1), st.lists(st.sampled_from(COMMANDS), min_size=1), st.data())
def test_boundaries_of_reads_change_nothing(replies: list[bytes], commands: list[bytes], data: st.DataObject) -> None:
    connection = framers("resp", "tcp")
    for direction, pieces in (("request", commands), ("reply", replies)):
        stream = b"".join(pieces)
        cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=12)))
        seen = []
        for begin, end in pairwise([0, *cuts, len(stream)]):
            seen += connection[direction].feed(stream[begin:end], direction)  # type: ignore[index, arg-type]
        assert [message.data for message in seen] == pieces


def test_an_array_that_does_not_end_is_kept_up_to_a_bound_and_looked_at_once() -> None:
    framer = framers("resp", "tcp")["reply"]
    kept = framer.feed(b"*1000000000\r\n", "reply")
    element = b":1\r\n" * 16384
    fed = 0
    while not kept:
        kept = framer.feed(element, "reply")
        fed += len(element)
    assert LARGEST_MESSAGE - len(element) < fed <= LARGEST_MESSAGE + len(element)
    assert "are kept until it is whole" in str(framer.problem)


def test_an_array_of_large_texts_is_kept_up_to_a_bound() -> None:
    framer = framers("resp", "tcp")["reply"]
    size = LARGEST_MESSAGE // 2
    text = b"$%d\r\n%s\r\n" % (size, bytes(size))
    assert framer.feed(b"*9\r\n" + text, "reply") == []
    assert framer.problem is None
    assert b"".join(message.data for message in framer.feed(text, "reply")) == b"*9\r\n" + text + text
    assert "are kept until it is whole" in str(framer.problem)
