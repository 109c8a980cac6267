"""One contract for both codecs, and what only one of them can say."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.rpc.codecs import NAMES, Call, Codec, Reply, codec
from nodes.rpc.interface import HELLO, NULL, Procedure
from nodes.services.counter import COUNTER
from nodes.services.echo import ECHO
from nodes.services.register import REGISTER
from nodes.wire import oncrpc
from nodes.wire.errors import WireError
from nodes.wire.header import CallHeader, ReplyHeader, Status
from nodes.wire.oncrpc import Accept

U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
HYPERS = st.integers(-(2**63), 2**63 - 1)
call_headers = st.builds(CallHeader, U32, U32, U32, U32, U64, U64)
reply_headers = st.builds(ReplyHeader, U32, U32, U32, st.sampled_from([int(s) for s in Status]), U64, U64, U32)
ADD, READ = COUNTER.procedure("add"), COUNTER.procedure("read")
HEADER = CallHeader(10101, 5, 1, 5, 2**63, 1000005)
ANSWER = ReplyHeader(10101, 5, 1, Status.EXECUTED, 2**63, 9, 60000)


@pytest.fixture(params=NAMES)
def counter(request: pytest.FixtureRequest) -> Codec:
    return codec(request.param, COUNTER)


def test_an_unknown_codec_is_refused() -> None:
    with pytest.raises(KeyError):
        codec("json", COUNTER)


@given(xid=U32, header=st.none() | call_headers, amount=HYPERS)
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("name", NAMES)
def test_calls_return_as_they_were(name: str, xid: int, header: CallHeader | None, amount: int) -> None:
    counter = codec(name, COUNTER)
    assert counter.decode_call(counter.encode_call(xid, ADD, header, (amount,))) == Call(xid, ADD, header, (amount,))


@pytest.mark.parametrize("procedure", [NULL, HELLO, READ])
def test_calls_without_arguments_return_as_they_were(counter: Codec, procedure: Procedure) -> None:
    assert counter.decode_call(counter.encode_call(7, procedure, HEADER, ())) == Call(7, procedure, HEADER, ())


@given(xid=U32, header=st.none() | reply_headers, total=HYPERS)
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("name", NAMES)
def test_replies_return_as_they_were(name: str, xid: int, header: ReplyHeader | None, total: int) -> None:
    counter = codec(name, COUNTER)
    reply = counter.decode_reply(counter.encode_reply(xid, ADD, header, total), {xid: ADD}.get)
    assert reply == Reply(xid, header, total, None)


@given(st.binary(max_size=50))
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("name", NAMES)
def test_opaque_data_returns_as_it_was(name: str, data: bytes) -> None:
    echo = codec(name, ECHO)
    procedure = ECHO.procedure("echo")
    assert echo.decode_call(echo.encode_call(7, procedure, HEADER, (data,))).arguments == (data,)
    assert echo.decode_reply(echo.encode_reply(7, procedure, ANSWER, data), {7: procedure}.get).value == data


def test_a_void_result(counter: Codec) -> None:
    assert counter.decode_reply(counter.encode_reply(7, HELLO, ANSWER, None), {7: HELLO}.get) == Reply(
        7, ANSWER, None, None
    )


def test_the_header_of_a_reply_to_an_unknown_call_is_decoded(counter: Codec) -> None:
    data = counter.encode_reply(7, ADD, ANSWER, 42)
    assert counter.decode_reply(data, lambda xid: None) == Reply(7, ANSWER, None, None)


@pytest.mark.parametrize("status", [Status.STALE, Status.REFUSED, Status.BUSY])
def test_a_status_without_a_result(counter: Codec, status: Status) -> None:
    header = ANSWER._replace(status=status)
    reply = counter.decode_reply(counter.encode_error(7, header, "no result"), {7: ADD}.get)
    assert (reply.xid, reply.header, reply.value) == (7, header, None)
    assert reply.error in ("no result", "SYSTEM_ERR")


def test_a_reply_of_another_type_is_refused(counter: Codec) -> None:
    echoed = codec("xdr" if type(counter).__name__ == "XdrCodec" else "msgpack", ECHO)
    data = echoed.encode_reply(7, ECHO.procedure("echo"), ANSWER, b"text of another type")
    with pytest.raises(WireError):
        counter.decode_reply(data, {7: ADD}.get)


def test_arguments_of_another_type_are_a_problem_that_is_answered(counter: Codec) -> None:
    other = codec("xdr" if type(counter).__name__ == "XdrCodec" else "msgpack", REGISTER)
    same_place = Procedure(ADD.number, ADD.name)
    data = bytearray(other.encode_call(7, same_place, HEADER, ()))
    if type(counter).__name__ == "XdrCodec":
        data[12:16] = COUNTER.program.to_bytes(4, "big")
    call = counter.decode_call(bytes(data))
    assert call == Call(7, ADD, HEADER, (), Accept.GARBAGE_ARGS)
    assert counter.decode_reply(counter.encode_problem(call), {7: ADD}.get) == Reply(7, None, None, "GARBAGE_ARGS")


def test_an_unknown_procedure_is_a_problem_that_is_answered(counter: Codec) -> None:
    call = counter.decode_call(counter.encode_call(7, Procedure(99, "subtract"), HEADER, ()))
    assert call == Call(7, None, HEADER, (), Accept.PROC_UNAVAIL)
    assert counter.decode_reply(counter.encode_problem(call), {7: ADD}.get) == Reply(7, None, None, "PROC_UNAVAIL")


@pytest.mark.parametrize(
    ("program", "version", "problem"),
    [(1, 1, Accept.PROG_UNAVAIL), (COUNTER.program, 0, Accept.PROG_MISMATCH)],
)
def test_onc_rpc_answers_for_other_programs_and_versions(program: int, version: int, problem: Accept) -> None:
    counter = codec("xdr", COUNTER)
    call = counter.decode_call(oncrpc.encode_call(7, program, version, 0, None, b""))
    assert call == Call(7, None, None, (), problem)
    answer = oncrpc.decode_reply(counter.encode_problem(call))
    assert answer.accept is problem
    assert (answer.low, answer.high) == ((1, 1) if problem is Accept.PROG_MISMATCH else (0, 0))


def test_onc_rpc_answers_for_another_rpc_version() -> None:
    counter = codec("xdr", COUNTER)
    data = bytearray(counter.encode_call(7, NULL, None, ()))
    data[8:12] = (3).to_bytes(4, "big")
    call = counter.decode_call(bytes(data))
    assert call.problem is Accept.RPC_MISMATCH
    answer = oncrpc.decode_reply(counter.encode_problem(call))
    assert (answer.accept, answer.low, answer.high) == (Accept.RPC_MISMATCH, 2, 2)


def test_a_notification_is_refused() -> None:
    with pytest.raises(WireError, match="notification"):
        codec("msgpack", COUNTER).decode_call(msgpack.packb([2, "add", [3]]))


def test_a_stream_of_wrapped_messages(counter: Codec) -> None:
    messages = [counter.encode_call(number, ADD, HEADER, (number,)) for number in range(3)]
    stream = b"".join(counter.wrap(message) for message in messages)
    splitter = counter.stream()
    found = [message for byte in stream for message in splitter.feed(bytes([byte]))]
    assert found == messages


@given(data=st.binary(max_size=80), start=st.integers(0, 80))
@settings(max_examples=200, deadline=None)
@pytest.mark.parametrize("name", NAMES)
def test_damaged_messages_decode_or_are_refused(name: str, data: bytes, start: int) -> None:
    counter = codec(name, COUNTER)

    def damaged(message: bytes) -> bytes:
        return message[:start] + data + message[start + len(data) :]

    results: list[Any] = []
    for decode in (
        lambda: counter.decode_call(damaged(counter.encode_call(7, ADD, HEADER, (3,)))),
        lambda: counter.decode_reply(damaged(counter.encode_reply(7, ADD, ANSWER, 3)), {7: ADD}.get),
    ):
        try:
            results.append(decode())
        except WireError:
            continue
    for result in results:
        assert result.header is None or result.header.client < 2**32
        if isinstance(result, Call) and result.problem is None:
            assert result.procedure is not None
            result.procedure.arguments.pack(result.arguments)


@pytest.mark.parametrize("depth", [500, 1010, 1022, 5000])
@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (b"", b"\x01"),
        (b"\x94\x00\x01\xa3add\x91", b"\x01"),
        (b"\x94\x01\x01", b"\x01\xc0"),
        (b"\x94\x01\x01\xc0", b"\x01"),
        (b"\x94\x00\x01\xa3add\x91\x81", b"\x01\x01"),
    ],
    ids=["message", "argument", "error", "result", "key"],
)
def test_values_nested_deeper_than_the_stack_are_malformed(begin: bytes, end: bytes, depth: int) -> None:
    data = begin + b"\x91" * depth + end
    counter = codec("msgpack", COUNTER)
    for decode in (counter.decode_call, lambda data: counter.decode_reply(data, lambda xid: ADD)):
        with suppress(WireError):
            decode(data)
