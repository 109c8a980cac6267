"""A socket server's side: what it journals of how messages came, and what its broken variants do with them."""

from __future__ import annotations

import pytest

from nodes.rpc.codecs import Call
from nodes.services.echo import ECHO
from nodes.sockets.codec import SocketCodec
from nodes.sockets.endpoint import Counting, CountingCodec, Taken
from nodes.sockets.variants import CODECS, ENDPOINTS, VARIANTS, LastFirst, ReadsAsMessages
from nodes.wire.errors import WireError
from nodes.wire.header import CallHeader, ReplyHeader, Status, client_number, intent_number
from nodes.wire.messages import STREAMED, decode, encode, wrap

CLIENT = client_number(1, 2, 1)
PROCEDURE = ECHO.procedure("echo")


def reads(splitter: Counting, *pieces: bytes) -> list[tuple[bytes, tuple[int, int]]]:
    found = []
    for piece in pieces:
        for message in splitter.feed(piece):
            assert isinstance(message, Taken)
            found.append((bytes(message), message.reads))
    return found


def test_a_message_is_a_call_without_a_header_of_its_clients_first_epoch() -> None:
    codec = SocketCodec("lines", ECHO)
    header = CallHeader(CLIENT, 3, 1, 0, 0, 0)
    data = codec.encode_call(7, PROCEDURE, header, (b"ab",))
    assert data == encode(CLIENT, 3, b"ab")
    assert codec.wrap(data) == data + b"\n"
    intent = intent_number(1, 2, 3)
    assert codec.decode_call(data) == Call(0, PROCEDURE, CallHeader(CLIENT, 3, 1, 0, 0, intent), (b"ab",))


def test_a_member_of_a_group_takes_its_own_delivery_and_echoes_that() -> None:
    data = SocketCodec("datagrams", ECHO).encode_call(0, PROCEDURE, CallHeader(CLIENT, 4, 1, 0, 0, 0), (b"ab",))
    third = CountingCodec("datagrams", ECHO, 2)
    taken = third.decode_call(data).header
    assert taken == CallHeader(CLIENT, 6, 1, 0, 0, intent_number(1, 2, 6))
    assert third.encode_reply(0, PROCEDURE, ReplyHeader(CLIENT, 6, 1, 0, 0, 0, 0), b"ab") == encode(CLIENT, 6, b"ab")


def test_an_echo_is_the_reply_of_its_first_attempt() -> None:
    codec = SocketCodec("datagrams", ECHO)
    header = ReplyHeader(CLIENT, 3, 1, Status.EXECUTED, 5, 6, 7)
    data = codec.encode_reply(7, PROCEDURE, header, b"ab")
    assert codec.wrap(data) == data == encode(CLIENT, 3, b"ab")
    reply = codec.decode_reply(data, lambda _: None)
    assert (reply.header, reply.value, reply.error) == (
        ReplyHeader(CLIENT, 3, 1, Status.EXECUTED, 0, 0, 0),
        b"ab",
        None,
    )


@pytest.mark.parametrize("protocol", STREAMED)
def test_in_which_reads_a_message_came_is_counted(protocol: str) -> None:
    one, two, three = (wrap(protocol, message) for message in (b"1 1 aa", b"1 2 bb", b"1 3 cc"))
    found = reads(CountingCodec(protocol, ECHO).stream(), one, two[:5], two[5:] + three + one[:1], one[1:])
    assert found == [(b"1 1 aa", (1, 1)), (b"1 2 bb", (2, 3)), (b"1 3 cc", (3, 3)), (b"1 1 aa", (3, 4))]


@pytest.mark.parametrize("protocol", STREAMED)
def test_who_takes_a_read_for_a_message_is_right_while_they_are_the_same(protocol: str) -> None:
    one, two = (wrap(protocol, encode(1, number, b"abcd")) for number in (1, 2))
    splitter = ReadsAsMessages(protocol, ECHO).stream()
    assert [bytes(message) for piece in (one, two) for message in splitter.feed(piece)] == [
        encode(1, 1, b"abcd"),
        encode(1, 2, b"abcd"),
    ]
    cut = len(one) - 4 - (protocol == "lines")
    (part,) = splitter.feed(one[:cut])
    assert decode(part).data == b"ab"
    (rest,) = splitter.feed(one[cut:] + two)
    with pytest.raises(WireError):
        decode(rest)


def test_who_puts_a_read_on_a_stack_takes_the_last_message_first() -> None:
    one, two, three = (wrap("lines", message) for message in (b"1 1 aa", b"1 2 bb", b"1 3 cc"))
    found = reads(LastFirst("lines", ECHO).stream(), one, two + three)
    assert found == [(b"1 1 aa", (1, 1)), (b"1 3 cc", (2, 2)), (b"1 2 bb", (2, 2))]


def test_every_variant_has_one_place() -> None:
    assert len(set(VARIANTS)) == len(CODECS) + len(ENDPOINTS)
