"""Framers: the same messages with the same identity as the codecs, however bytes arrive, and nothing lost."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.framers import Framer, Message, framer, framers
from chaos.identity import Direction
from chaos.links import plans
from chaos.rules import BadConfiguration
from nodes.rpc.codecs import NAMES, Codec, codec
from nodes.services.counter import COUNTER
from nodes.services.echo import ECHO
from nodes.wire import oncrpc, record_marking
from nodes.wire.header import CallHeader, ReplyHeader, Status

U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
call_headers = st.builds(CallHeader, U32, U32, U32, U32, U64, U64)
reply_headers = st.builds(ReplyHeader, U32, U32, U32, st.sampled_from([int(s) for s in Status]), U64, U64, U32)
ADD, PING = COUNTER.procedure("add"), ECHO.procedure("echo")
HEADER = CallHeader(10101, 5, 2, 4, 2**63, 1000005)
ANSWER = ReplyHeader(10101, 5, 2, Status.EXECUTED, 2**63, 9, 60000)
TRANSPORTS = ("udp", "tcp")
protocols = pytest.mark.parametrize("protocol", [(name, transport) for name in NAMES for transport in TRANSPORTS])


def on_the_wire(protocol: tuple[str, str], data: bytes) -> bytes:
    name, transport = protocol
    return codec(name, ECHO).wrap(data) if transport == "tcp" else data


def only(messages: list[Message]) -> Message:
    assert len(messages) == 1
    return messages[0]


def unidentified(data: bytes, direction: Direction) -> Message:
    return Message(data, direction, None, None, None, None, slice(0, 0))


@given(header=call_headers, data=st.binary(max_size=40))
@settings(max_examples=60, deadline=None)
@protocols
def test_a_calls_identity_is_its_headers(protocol: tuple[str, str], header: CallHeader, data: bytes) -> None:
    echo = codec(protocol[0], ECHO)
    raw = on_the_wire(protocol, echo.encode_call(7, PING, header, (data,)))
    message = only(framer(*protocol).feed(raw, "request"))
    assert message[:6] == (raw, "request", header.client, header.seq, header.attempt, header.first)
    assert data in raw[message.body]


@given(header=reply_headers, data=st.binary(max_size=40))
@settings(max_examples=60, deadline=None)
@protocols
def test_a_replys_identity_is_its_headers(protocol: tuple[str, str], header: ReplyHeader, data: bytes) -> None:
    echo = codec(protocol[0], ECHO)
    raw = on_the_wire(protocol, echo.encode_reply(7, PING, header, data))
    message = only(framer(*protocol).feed(raw, "reply"))
    assert message[:6] == (raw, "reply", header.client, header.seq, header.attempt, None)
    assert data in raw[message.body]


@protocols
def test_the_body_of_a_call_is_its_arguments_only(protocol: tuple[str, str]) -> None:
    counter = codec(protocol[0], COUNTER)
    raw = on_the_wire(protocol, counter.encode_call(7, ADD, HEADER, (0x0102030405060708,)))
    body = only(framer(*protocol).feed(raw, "request")).body
    for place in range(*body.indices(len(raw)))[-8:]:
        damaged = bytearray(raw)
        damaged[place] ^= 0x40
        whole = bytes(damaged)
        call = counter.decode_call(whole[4:] if protocol == ("xdr", "tcp") else whole)
        assert (call.xid, call.procedure, call.header) == (7, ADD, HEADER)
        assert call.arguments != (0x0102030405060708,)
    assert len(raw[body]) - 8 == (1 if protocol[0] == "msgpack" else 0)


@protocols
def test_the_body_of_a_reply_is_its_result_only(protocol: tuple[str, str]) -> None:
    counter = codec(protocol[0], COUNTER)
    raw = on_the_wire(protocol, counter.encode_reply(7, ADD, ANSWER, 0x0102030405060708))
    damaged = bytearray(raw)
    damaged[only(framer(*protocol).feed(raw, "reply")).body] = counter.encode_reply(7, ADD, ANSWER, 0x1112131415161718)[
        -9 if protocol[0] == "msgpack" else -8 :
    ]
    whole = bytes(damaged)
    reply = counter.decode_reply(whole[4:] if protocol == ("xdr", "tcp") else whole, {7: ADD}.get)
    assert (reply.header, reply.value) == (ANSWER, 0x1112131415161718)


@protocols
def test_what_carries_neither_arguments_nor_result_has_no_body(protocol: tuple[str, str]) -> None:
    counter = codec(protocol[0], COUNTER)
    call = on_the_wire(protocol, counter.encode_call(7, COUNTER.procedure("read"), HEADER, ()))
    message = only(framer(*protocol).feed(call, "request"))
    assert (message.seq, call[message.body]) == (5, b"")
    stale = on_the_wire(protocol, counter.encode_error(7, ANSWER._replace(status=Status.STALE), "stale"))
    message = only(framer(*protocol).feed(stale, "reply"))
    assert (message.seq, stale[message.body]) == (5, b"")


@protocols
def test_messages_without_a_header_are_whole_but_unidentified(protocol: tuple[str, str]) -> None:
    counter = codec(protocol[0], COUNTER)
    call = on_the_wire(protocol, counter.encode_call(7, ADD, None, (3,)))
    reply = on_the_wire(protocol, counter.encode_reply(7, ADD, None, 3))
    for raw, direction in ((call, "request"), (reply, "reply")):
        message = only(framer(*protocol).feed(raw, direction))
        assert message[:6] == (raw, direction, None, None, None, None)
        assert raw[message.body].endswith(b"\x03")


@protocols
def test_a_message_of_the_other_direction_is_unidentified(protocol: tuple[str, str]) -> None:
    raw = on_the_wire(protocol, codec(protocol[0], COUNTER).encode_call(7, ADD, HEADER, (3,)))
    assert framer(*protocol).feed(raw, "reply") == [unidentified(raw, "reply")]


@protocols
def test_after_what_is_no_message_of_its_protocol_the_next_is_found(protocol: tuple[str, str]) -> None:
    found = framer(*protocol)
    counter = codec(protocol[0], COUNTER)
    reply = on_the_wire(protocol, counter.encode_reply(7, ADD, ANSWER, 3))
    call = on_the_wire(protocol, counter.encode_call(7, ADD, HEADER, (3,)))
    assert [message.seq for raw in (reply, call, reply, call) for message in found.feed(raw, "request")] == [
        None,
        5,
        None,
        5,
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_datagram_with_more_than_a_message_is_unidentified_or_its_codec_refuses_it_too(name: str) -> None:
    counter = codec(name, COUNTER)
    call = counter.encode_call(7, ADD, HEADER, (3,))
    message = only(framer(name, "udp").feed(call + call, "request"))
    assert message.data == call + call
    assert message.seq is None or counter.decode_call(call + call).problem is not None


@pytest.mark.parametrize("name", NAMES)
def test_an_undecodable_stream_passes_in_chunks(name: str) -> None:
    found = framer(name, "tcp")
    good = codec(name, COUNTER).wrap(codec(name, COUNTER).encode_call(7, ADD, HEADER, (3,)))
    first = found.feed(good + good[:10], "request")
    assert [message.seq for message in first] == [5]
    broken = codec(name, COUNTER).wrap(good)[10:]
    garbage = b"\xff" * 200
    chunks = [broken, garbage, garbage, good]
    passed = [message for chunk in chunks for message in found.feed(chunk, "request")]
    assert b"".join(m.data for m in [*first, *passed]) + found.pending() == good + good[:10] + b"".join(chunks)
    assert passed[-1] == unidentified(good, "request")
    assert found.pending() == b""


def test_a_record_of_several_fragments_is_identified_and_its_body_is_in_the_first() -> None:
    payload = codec("xdr", ECHO).encode_call(7, PING, HEADER, (b"abcdefgh",))
    raw = len(payload[:80]).to_bytes(4, "big") + payload[:80] + record_marking.wrap(payload[80:])
    message = only(framer("xdr", "tcp").feed(raw, "request"))
    assert (message.data, message.seq) == (raw, 5)
    assert raw[message.body] == payload[72:80]
    early = len(payload[:40]).to_bytes(4, "big") + payload[:40] + record_marking.wrap(payload[40:])
    message = only(framer("xdr", "tcp").feed(early, "request"))
    assert (message.seq, early[message.body]) == (5, b"")


@pytest.mark.parametrize(
    "result", [[[1, 2, 3, 4, 5, 6, 7], 8, 9], [[1, 2], 3], [[1, 2, 3, 99, 5, 6, 7], 8], {"a": 1}, None]
)
def test_results_of_others_are_not_taken_for_headers(result: object) -> None:
    raw = msgpack.packb([1, 7, None, result])
    message = only(framer("msgpack", "udp").feed(raw, "reply"))
    assert (message.client, raw[message.body]) == (None, msgpack.packb(result))


@pytest.mark.parametrize("error", ["no", ["no"], [["a", 1], "no"], 5])
def test_errors_of_others_are_not_taken_for_headers(error: object) -> None:
    raw = msgpack.packb([1, 7, error, None])
    assert framer("msgpack", "udp").feed(raw, "reply") == [unidentified(raw, "reply")]


def test_a_notification_is_unidentified_with_its_parameters_as_body() -> None:
    raw = msgpack.packb([2, "add", [3, "x"]])
    message = only(framer("msgpack", "udp").feed(raw, "request"))
    assert (message.client, raw[message.body]) == (None, b"\x03\xa1x")


def test_before_a_member_of_a_group_a_request_is_its_delivery_and_a_reply_is_one_already() -> None:
    made = framers("datagrams", "multicast", 2)
    [request], [reply] = (made[direction].feed(b"10101 4 ab", direction) for direction in ("request", "reply"))
    assert (request.client, request.seq, reply.seq) == (10_101, 6, 4)
    [last] = made["request"].feed(b"10101 4294967295 ab", "request")
    assert last.seq is None, "there is no such delivery"


def test_what_the_transports_allow() -> None:
    for name in NAMES:
        stream, datagram = framer(name, "tcp"), framer(name, "udp")
        assert stream.decisions - datagram.decisions == {"cut", "slice"} & stream.decisions
        assert {"drop", "duplicate", "reorder", "hold", "delay", "corrupt", "truncate", "partition", "rate"} == set(
            datagram.decisions
        )


@pytest.mark.parametrize("protocol", [("json", "tcp"), ("xdr", "sctp"), ("resp", "udp")])
def test_an_unknown_protocol_is_refused(protocol: tuple[str, str]) -> None:
    with pytest.raises(KeyError):
        framer(*protocol)


def fed(found: Framer, stream: bytes, cuts: list[int], direction: Direction) -> list[Message]:
    pieces = zip([0, *cuts], [*cuts, len(stream)], strict=True)
    return [message for start, stop in pieces for message in found.feed(stream[start:stop], direction)]


def encoded(echo: Codec, header: CallHeader | None, data: bytes) -> bytes:
    return echo.wrap(echo.encode_call(7, PING, header, (data,)))


@given(calls=st.lists(st.tuples(st.none() | call_headers, st.binary(max_size=20)), max_size=5), data=st.data())
@settings(max_examples=80, deadline=None)
@pytest.mark.parametrize("name", NAMES)
def test_however_a_stream_is_split_its_messages_are_the_same(
    name: str, calls: list[tuple[CallHeader | None, bytes]], data: st.DataObject
) -> None:
    echo = codec(name, ECHO)
    raw = [encoded(echo, header, content) for header, content in calls]
    stream = b"".join(raw)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    found = framer(name, "tcp")
    messages = fed(found, stream, cuts, "request")
    assert messages == [only(framer(name, "tcp").feed(one, "request")) for one in raw]
    assert [message.seq for message in messages] == [header and header.seq for header, _ in calls]
    assert found.pending() == b""


CALL = codec("msgpack", COUNTER).encode_call(7, ADD, HEADER, (3,))
RECORD = codec("xdr", COUNTER).wrap(codec("xdr", COUNTER).encode_call(7, ADD, HEADER, (3,)))
chunks = st.lists(
    st.binary(max_size=30) | st.sampled_from([CALL, RECORD, CALL[:9], RECORD[:30], RECORD[30:]]), max_size=6
)


@given(pieces=chunks, direction=st.sampled_from(["request", "reply"]))
@settings(max_examples=150, deadline=None)
@protocols
def test_whatever_comes_nothing_is_lost_and_bodies_lie_within(
    protocol: tuple[str, str], pieces: list[bytes], direction: Direction
) -> None:
    found = framer(*protocol)
    messages = [message for piece in pieces for message in found.feed(piece, direction)]
    assert b"".join(message.data for message in messages) + found.pending() == b"".join(pieces)
    for message in messages:
        assert 0 <= message.body.start <= message.body.stop <= len(message.data)
        assert (message.client is None) == (message.seq is None) == (message.attempt is None)


@given(st.binary(max_size=12), st.integers(0, 200), st.integers(0, 255), st.sampled_from(["request", "reply"]))
@settings(max_examples=300, deadline=None)
def test_the_short_way_to_an_identity_agrees_with_the_decoder(
    tail: bytes, place: int, value: int, direction: Direction
) -> None:
    whole = oncrpc.encode_call(7, 1, 1, 1, HEADER, tail)
    if direction == "reply":
        whole = oncrpc.encode_reply(7, ANSWER, tail)
    damaged = bytearray(whole)
    damaged[place % len(damaged)] = value
    for data in (whole, bytes(damaged), whole[: place % len(whole)]):
        short = oncrpc.our_call(data) if direction == "request" else oncrpc.our_reply(data)
        if short is not None:
            decoded = oncrpc.decode_call(data) if direction == "request" else oncrpc.decode_reply(data)
            assert decoded.header is not None
            assert decoded.header[: len(short)] == short
            assert decoded.body == data[oncrpc.OUR_CALL_SIZE if direction == "request" else oncrpc.OUR_REPLY_SIZE :]
    assert (oncrpc.our_call(whole) if direction == "request" else oncrpc.our_reply(whole)) is not None


@pytest.mark.parametrize(
    ("codec", "transport", "said"),
    [("lines", "udp", "lines is a protocol of streams"), ("datagrams", "tcp", "datagrams is a protocol of datagrams")],
)
def test_a_relay_refuses_a_protocol_that_the_transport_does_not_carry(codec: str, transport: str, said: str) -> None:
    link = {"name": "a -> b", "transport": transport, "codec": codec, "upstream": None, "epoch": 1, "rules": []}
    with pytest.raises(BadConfiguration, match=said):
        plans({"seed": 1, "links": [link]}, lambda *_: None)
