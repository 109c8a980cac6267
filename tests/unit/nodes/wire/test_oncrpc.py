"""ONC RPC messages against bytes written by hand from RFC 5531 section 9, and their round trips."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.wire import oncrpc
from nodes.wire.errors import WireError
from nodes.wire.header import CallHeader, ReplyHeader, Status
from nodes.wire.oncrpc import FLAVOUR, Accept

U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
call_headers = st.builds(CallHeader, U32, U32, U32, U32, U64, U64)
reply_headers = st.builds(ReplyHeader, U32, U32, U32, st.sampled_from([int(s) for s in Status]), U64, U64, U32)

PORT_MAPPER_NULL = bytes.fromhex(
    "0000002a 00000000 00000002 000186a0 00000002 00000000"  # xid, CALL, version 2, program 100000, version, NULL
    "00000000 00000000 00000000 00000000"  # credential and verifier AUTH_NONE
)


def test_a_call_without_a_header_is_the_rfcs() -> None:
    assert oncrpc.encode_call(42, 100000, 2, 0, None, b"") == PORT_MAPPER_NULL
    assert oncrpc.decode_call(PORT_MAPPER_NULL) == oncrpc.OncCall(42, 2, 100000, 2, 0, None, b"")


def test_a_call_with_a_header_by_hand() -> None:
    header = CallHeader(10101, 5, 2, 4, 0x0102030405060708, 1000005)
    expected = bytes.fromhex(
        "00000007 00000000 00000002 20000fb1 00000001 00000002"
        "46425444 00000020"  # our flavour, 32 bytes
        "00002775 00000005 00000002 00000004 0102030405060708 00000000000f4245"
        "00000000 00000000"  # verifier AUTH_NONE
        "0000000000000003"
    )
    body = expected[-8:]
    assert oncrpc.encode_call(7, 0x20000FB1, 1, 2, header, body) == expected
    assert oncrpc.decode_call(expected) == oncrpc.OncCall(7, 2, 0x20000FB1, 1, 2, header, body)


def test_a_reply_with_a_header_by_hand() -> None:
    header = ReplyHeader(10101, 5, 2, Status.CACHED, 1, 2, 60000)
    expected = bytes.fromhex(
        "00000007 00000001 00000000"  # xid, REPLY, MSG_ACCEPTED
        "46425444 00000024"  # verifier of our flavour, 36 bytes
        "00002775 00000005 00000002 00000001 0000000000000001 0000000000000002 0000ea60"
        "00000000"  # SUCCESS
        "0000000000000063"
    )
    assert oncrpc.encode_reply(7, header, expected[-8:]) == expected
    assert oncrpc.decode_reply(expected) == oncrpc.OncReply(7, header, Accept.SUCCESS, expected[-8:])


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (Accept.PROG_MISMATCH, "00000007 00000001 00000000 00000000 00000000 00000002 00000001 00000003"),
        (Accept.RPC_MISMATCH, "00000007 00000001 00000001 00000000 00000001 00000003"),
    ],
)
def test_a_mismatch_tells_the_versions(accept: Accept, expected: str) -> None:
    data = bytes.fromhex(expected)
    assert oncrpc.encode_mismatch(7, accept, 1, 3) == data
    assert oncrpc.decode_reply(data) == oncrpc.OncReply(7, None, accept, b"", 1, 3)


@pytest.mark.parametrize("accept", [Accept.PROG_UNAVAIL, Accept.PROC_UNAVAIL, Accept.GARBAGE_ARGS, Accept.SYSTEM_ERR])
def test_a_reply_without_a_result(accept: Accept) -> None:
    data = oncrpc.encode_reply(9, None, b"", accept)
    assert data == bytes.fromhex("00000009 00000001 00000000 00000000 00000000") + accept.to_bytes(4, "big")
    assert oncrpc.decode_reply(data) == oncrpc.OncReply(9, None, accept, b"")
    header = ReplyHeader(1, 2, 3, Status.REFUSED, 4, 5, 6)
    assert oncrpc.decode_reply(oncrpc.encode_reply(9, header, b"", accept)).header == header


@pytest.mark.parametrize("flavour", [1, 6])
def test_credentials_of_others_are_passed_over(flavour: int) -> None:
    start = PORT_MAPPER_NULL[:24]
    auth = flavour.to_bytes(4, "big") + bytes.fromhex("00000005 6162636465000000")
    call = oncrpc.decode_call(start + auth + bytes(8) + b"args")
    assert (call.header, call.body) == (None, b"args")
    reply = oncrpc.decode_reply(bytes.fromhex("00000007 00000001 00000000") + auth + bytes(4) + b"rest")
    assert (reply.header, reply.body) == (None, b"rest")


OURS = oncrpc.encode_call(7, 1, 1, 2, CallHeader(1, 2, 3, 4, 5, 6), b"")
ANSWER = oncrpc.encode_reply(7, ReplyHeader(1, 2, 3, 0, 5, 6, 7), b"")


def patched(data: bytes, offset: int, word: int) -> bytes:
    return data[:offset] + word.to_bytes(4, "big") + data[offset + 4 :]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "too short"),
        (PORT_MAPPER_NULL[:-4], "the data ends"),
        (PORT_MAPPER_NULL[:24], "the data ends"),
        (ANSWER, "message type is 1, expected 0"),
        (patched(OURS, 4, 1), "message type is 1"),
        (patched(OURS, 28, 31), "no call header"),
        (patched(OURS, 64, 1), "verifier"),
        (OURS[:-4], "too short"),
        (OURS[:-8], "too short"),
        (patched(PORT_MAPPER_NULL, 28, 401), "over the limit of 400"),
    ],
)
def test_a_malformed_call_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(WireError, match=message):
        oncrpc.decode_call(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "too short"),
        (OURS, "message type is 0, expected 1"),
        (patched(ANSWER, 8, 2), "reply_stat is 2"),
        (patched(ANSWER, 16, 32), "no reply header"),
        (patched(ANSWER, 32, 6), "status is 6"),
        (patched(ANSWER, 56, 6), "accept_stat is 6"),
        (patched(ANSWER, 56, 1) + bytes(4), "4 bytes follow"),
        (patched(ANSWER, 56, 2), "0 bytes follow accept_stat 2, expected 8"),
        (bytes.fromhex("00000007 00000001 00000001 00000001 00000005 00000000"), "denied for reason 1"),
        (bytes.fromhex("00000007 00000001 00000001 00000000 00000002 00000002 00"), "follow the denial"),
        (ANSWER[:-4], "."),
    ],
)
def test_a_malformed_reply_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(WireError, match=message):
        oncrpc.decode_reply(data)


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(WireError, match="does not fit"):
        oncrpc.encode_call(1, 1, 1, 2, CallHeader(2**32, 0, 0, 0, 0, 0), b"")
    with pytest.raises(WireError, match="does not fit"):
        oncrpc.encode_call(2**32, 1, 1, 2, None, b"")
    with pytest.raises(WireError, match="does not fit"):
        oncrpc.encode_reply(1, ReplyHeader(0, 0, 0, 0, 2**64, 0, 0), b"")


def test_the_headers_fit_a_credential() -> None:
    assert len(OURS) - len(PORT_MAPPER_NULL) <= oncrpc.AUTH_LIMIT
    assert FLAVOUR not in (0, 1, 2, 3, 6)


@given(U32, U32, U32, U32, st.none() | call_headers, st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_calls_return_as_they_were(
    xid: int, program: int, version: int, procedure: int, header: CallHeader | None, body: bytes
) -> None:
    data = oncrpc.encode_call(xid, program, version, procedure, header, body)
    assert oncrpc.decode_call(data) == oncrpc.OncCall(xid, 2, program, version, procedure, header, body)


@given(U32, st.none() | reply_headers, st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_replies_return_as_they_were(xid: int, header: ReplyHeader | None, body: bytes) -> None:
    data = oncrpc.encode_reply(xid, header, body)
    assert oncrpc.decode_reply(data) == oncrpc.OncReply(xid, header, Accept.SUCCESS, body)


arbitrary = st.one_of(
    st.binary(max_size=100),
    st.builds(patched, st.sampled_from([OURS, ANSWER, PORT_MAPPER_NULL]), st.integers(0, 16).map(lambda n: 4 * n), U32),
)


@given(arbitrary)
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes_decode_or_are_refused(data: bytes) -> None:
    for decode in (oncrpc.decode_call, oncrpc.decode_reply):
        try:
            message = decode(data)
        except WireError:
            continue
        assert data.endswith(message.body)
