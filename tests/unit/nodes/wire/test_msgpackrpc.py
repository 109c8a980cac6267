"""MessagePack-RPC messages: bytes written by hand, round trips, and the splitting of a stream."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.wire import msgpackrpc
from nodes.wire.errors import WireError
from nodes.wire.header import CallHeader, ReplyHeader, Status
from nodes.wire.msgpackrpc import Messages, MpCall, MpReply

U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
call_headers = st.builds(CallHeader, U32, U32, U32, U32, U64, U64)
reply_headers = st.builds(ReplyHeader, U32, U32, U32, st.sampled_from([int(s) for s in Status]), U64, U64, U32)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
plain = st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5) | st.binary(max_size=5)

HEADER = CallHeader(1, 2, 3, 4, 5, 6)
ANSWER = ReplyHeader(1, 2, 3, Status.JOINED, 5, 6, 7)


def test_a_call_by_hand() -> None:
    expected = b"\x94\x00\x07\xa3add\x92\x96\x01\x02\x03\x04\x05\x06\x2a"
    assert msgpackrpc.encode_call(7, "add", HEADER, (42,)) == expected
    assert msgpackrpc.decode_call(expected) == MpCall(7, "add", HEADER, (42,))


def test_a_call_without_a_header_is_the_specifications() -> None:
    expected = b"\x94\x00\x07\xa3add\x91\x2a"
    assert msgpackrpc.encode_call(7, "add", None, (42,)) == expected
    assert msgpackrpc.decode_call(expected) == MpCall(7, "add", None, (42,))


def test_a_notification_has_no_msgid() -> None:
    assert msgpackrpc.decode_call(b"\x93\x02\xa3add\x91\x2a") == MpCall(None, "add", None, (42,))


def test_a_result_and_an_error_by_hand() -> None:
    result = b"\x94\x01\x07\xc0\x92\x97\x01\x02\x03\x02\x05\x06\x07\x2a"
    assert msgpackrpc.encode_reply(7, ANSWER, 42) == result
    assert msgpackrpc.decode_reply(result) == MpReply(7, ANSWER, None, 42)
    error = b"\x94\x01\x07\x92\x97\x01\x02\x03\x02\x05\x06\x07\xa5stale\xc0"
    assert msgpackrpc.encode_error(7, ANSWER, "stale") == error
    assert msgpackrpc.decode_reply(error) == MpReply(7, ANSWER, "stale", None)


def test_replies_without_a_header() -> None:
    assert msgpackrpc.decode_reply(b"\x94\x01\x07\xc0\x2a") == MpReply(7, None, None, 42)
    assert msgpackrpc.decode_reply(b"\x94\x01\x07\xa2no\xc0") == MpReply(7, None, "no", None)


@pytest.mark.parametrize("pair", [(5, 6), (None, 6), ("ab", 6), ({}, 6), ((), 6), ((5,), 6), (((),) * 7, 6)])
def test_a_pair_whose_first_is_no_header_is_a_reply_without_one(pair: tuple[Any, Any]) -> None:
    assert msgpackrpc.decode_reply(msgpack.packb([1, 7, None, pair])) == MpReply(7, None, None, pair)
    assert msgpackrpc.decode_reply(msgpack.packb([1, 7, pair, None])) == MpReply(7, None, pair, None)


@pytest.mark.parametrize("carrier", [(), (ANSWER,), (ANSWER, 6, 7), 5, True, "ab", {}])
def test_what_is_no_pair_is_a_reply_without_a_header(carrier: Any) -> None:
    unpacked = msgpack.unpackb(msgpack.packb(carrier), use_list=False)
    assert msgpackrpc.decode_reply(msgpack.packb([1, 7, None, carrier])) == MpReply(7, None, None, unpacked)
    assert msgpackrpc.decode_reply(msgpack.packb([1, 7, carrier, None])) == MpReply(7, None, unpacked, None)


@pytest.mark.parametrize("first", [5, None, "ab", {}, (), (5,), ((),) * 6])
def test_a_parameter_that_is_no_header_stays_one(first: Any) -> None:
    assert msgpackrpc.decode_call(msgpack.packb([0, 7, "add", [first]])) == MpCall(7, "add", None, (first,))


@pytest.mark.parametrize(
    "fields",
    [(1, 2, 3, 4, 5), (1, 2, 3, 4, 5, -6), (2**32, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5, "6"), (True, 2, 3, 4, 5, 6)],
)
def test_an_array_that_is_no_header_stays_a_parameter(fields: tuple[Any, ...]) -> None:
    call = msgpackrpc.decode_call(msgpack.packb([0, 7, "add", [fields]]))
    assert (call.header, call.parameters) == (None, (fields,))


def test_an_unknown_status_makes_no_header() -> None:
    assert msgpackrpc.decode_reply(msgpack.packb([1, 7, None, [[1, 2, 3, 6, 5, 6, 7], 42]])).header is None


@pytest.mark.parametrize(
    "message",
    [
        7,
        [],
        {},
        [0],
        [1, 7, None, 2],
        [0, 7, "add"],
        [0, 7, "add", 5],
        [0, 7, 5, []],
        [0, "7", "add", []],
        [0, -1, "add", []],
        [0, 2**32, "add", []],
        [0, True, "add", []],
        [2, 7, "add", []],
        [3, 7, "add", []],
    ],
)
def test_what_is_no_call_is_refused(message: Any) -> None:
    with pytest.raises(WireError):
        msgpackrpc.decode_call(msgpack.packb(message))


@pytest.mark.parametrize(
    "message", [7, [], [1], [0, 7, "add", []], [1, 7, None], [1, None, None, 3], [1, 2**40, None, 3]]
)
def test_what_is_no_reply_is_refused(message: Any) -> None:
    with pytest.raises(WireError):
        msgpackrpc.decode_reply(msgpack.packb(message))


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x94\x00", b"\x93\x02\xa0\x90\x00", b"\x93\x02\xa1\xff\x90", b"\x91" * 5000]
)
def test_what_is_not_one_msgpack_value_is_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="not one whole msgpack value"):
        msgpackrpc.decode_call(data)


@pytest.mark.parametrize("value", [2**64, object(), "\ud800"])
def test_what_msgpack_cannot_hold_is_refused_and_the_next_message_is_whole(value: Any) -> None:
    with pytest.raises(WireError, match="cannot be packed"):
        msgpackrpc.encode_reply(7, ANSWER, value)
    assert msgpackrpc.encode_reply(7, None, 42) == b"\x94\x01\x07\xc0\x2a"


@given(U32, st.text(max_size=5), st.none() | call_headers, st.lists(plain, max_size=3).map(tuple))
@settings(max_examples=100, deadline=None)
def test_calls_return_as_they_were(
    msgid: int, method: str, header: CallHeader | None, parameters: tuple[Any, ...]
) -> None:
    data = msgpackrpc.encode_call(msgid, method, header, parameters)
    assert msgpackrpc.decode_call(data) == MpCall(msgid, method, header, parameters)


@given(U32, reply_headers, values)
@settings(max_examples=100, deadline=None)
def test_replies_return_as_they_were(msgid: int, header: ReplyHeader, value: Any) -> None:
    assert msgpackrpc.decode_reply(msgpackrpc.encode_reply(msgid, header, value)) == MpReply(msgid, header, None, value)


@given(st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_decode_or_are_refused(data: bytes) -> None:
    for start in (b"", b"\x94\x00\x07\xa0", b"\x94\x01\x07\xc0\x92\x97", b"\x93\x02"):
        for decode in (msgpackrpc.decode_call, msgpackrpc.decode_reply):
            try:
                message = decode(start + data)
            except WireError:
                continue
            assert message.header is None or message.header[0] < 2**32


def test_messages_in_front_of_garbage_are_delivered() -> None:
    good = msgpackrpc.encode_call(7, "add", HEADER, (42,))
    messages = Messages().feed(good + b"\x2a")
    assert next(messages) == good
    with pytest.raises(WireError, match="0x2a begins no message"):
        next(messages)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x94\xc1", "not msgpack"),
        (b"\x91" * 5000, "begins no message"),
        (b"\x93" + b"\x91" * 5000, "not msgpack"),
        (b"\x94\x00\x07\xdb\x00\x00\x01\x00" + bytes(200), "at least 208 bytes, at most 64"),
        (msgpack.packb([2, "x" * 80, []]), "at least 85 bytes, at most 64"),
    ],
)
def test_a_stream_of_garbage_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(WireError, match=message):
        list(Messages(limit=64).feed(data))


def test_a_message_may_have_as_many_bytes_as_are_allowed_and_may_come_in_parts() -> None:
    message = msgpack.packb([0, 1, "x" * 56, None])
    assert len(message) == 62
    for limit, parts in ((62, [message]), (62, [message[:60], message[60:]]), (60, [message[:60]])):
        messages = Messages(limit=limit)
        assert [one for part in parts for one in messages.feed(part)] == ([message] if limit == 62 else [])
    with pytest.raises(WireError, match="at least 62 bytes, at most 61"):
        list(Messages(limit=61).feed(message))


def test_many_small_messages_at_once_may_exceed_the_limit_of_one() -> None:
    good = msgpackrpc.encode_call(7, "add", HEADER, (42,))
    assert list(Messages(limit=64).feed(good * 50)) == [good] * 50


@given(st.lists(st.tuples(call_headers, st.lists(values, max_size=2).map(tuple)), max_size=5), st.data())
@settings(max_examples=150, deadline=None)
def test_however_a_stream_is_split_its_messages_are_the_same(
    calls: list[tuple[CallHeader, tuple[Any, ...]]], data: st.DataObject
) -> None:
    encoded = [msgpackrpc.encode_call(7, "add", header, parameters) for header, parameters in calls]
    stream = b"".join(encoded)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    messages = Messages()
    found: list[bytes] = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += messages.feed(stream[start:stop])
    assert found == encoded
    assert messages.pending() == b""


@given(st.lists(st.binary(max_size=30) | st.just(b"\x94\x00\x07\xa0\x90"), max_size=6))
@settings(max_examples=200, deadline=None)
def test_arbitrary_chunks_are_kept_or_refused(chunks: list[bytes]) -> None:
    messages = Messages(limit=64)
    found = b""
    try:
        for chunk in chunks:
            found += b"".join(messages.feed(chunk))
    except WireError:
        return
    assert found + messages.pending() == b"".join(chunks)


@pytest.mark.parametrize("first", range(256))
def test_a_message_begins_as_an_array_of_three_or_four_or_of_a_length_that_follows(first: int) -> None:
    messages = msgpackrpc.Messages()
    messages.push(bytes([first]))
    if first in (0x93, 0x94, 0xDC, 0xDD):
        assert messages.next() is None
    else:
        with pytest.raises(WireError, match=f"byte {first:#04x} begins no message"):
            messages.next()
