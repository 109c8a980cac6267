"""The HTTP/1 framer: where messages end, whose they are, and what passes without identity."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.framers import Framers, Message, framers
from chaos.framers.http1 import LARGEST_WAITING
from chaos.framers.message import LARGEST_MESSAGE
from chaos.hop import Forward
from chaos.links import LinkPlan, plans
from chaos.rules import BadConfiguration
from nodes.wire.header import client_number, intent_number

INTENT = intent_number(1, 2, 5)
OPERATION = (client_number(1, 2, 1), 5)


def request(intent: object = INTENT, body: bytes = b"{}", name: str = "Idempotency-Key") -> bytes:
    head = f"POST /orders HTTP/1.1\r\nHost: orders\r\n{name}: {intent}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def response(body: bytes = b"ok", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED = CHUNKED_HEAD + b"3;x=y\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n"


def one(connection: Framers, direction: str, data: bytes) -> Message:
    (message,) = connection[direction].feed(data, direction)  # type: ignore[index, arg-type]
    return message


def identity(message: Message) -> tuple[int | None, int | None, int | None]:
    return message.client, message.seq, message.attempt


@pytest.mark.parametrize("name", ["Idempotency-Key", "IDEMPOTENCY-KEY", "X-Request-Id"])
def test_request_and_its_response_have_the_identity_of_the_header(name: str) -> None:
    connection = framers("http1", "tcp")
    asked = one(connection, "request", request(name=name, body=b"seven"))
    answered = one(connection, "reply", response(b"done"))
    assert identity(asked) == identity(answered) == (*OPERATION, 1)
    assert asked.data[asked.body] == b"seven"
    assert answered.data[answered.body] == b"done"


@pytest.mark.parametrize("intent", ["", "a-key", "7", "0", f"~{INTENT}", "123e4567-e89b-12d3-a456-426614174000"])
def test_a_key_that_is_no_intent_gives_no_identity(intent: str) -> None:
    connection = framers("http1", "tcp")
    for message, body in (
        (one(connection, "request", request(intent)), b"{}"),
        (one(connection, "reply", response()), b"ok"),
    ):
        assert (*identity(message), message.first) == (None, None, None, None)
        assert message.data[message.body] == body


def test_pipelined_responses_belong_to_their_requests_in_order() -> None:
    connection = framers("http1", "tcp")
    connection["request"].feed(request(INTENT) + request(INTENT + 1), "request")
    found = connection["reply"].feed(response() + CHUNKED, "reply")
    assert [message.seq for message in found] == [5, 6]
    assert found[1].data == CHUNKED


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_responses_without_a_body_end_with_their_head(status: str) -> None:
    connection = framers("http1", "tcp")
    connection["request"].feed(request() + request(INTENT + 1), "request")
    bare = f"HTTP/1.1 {status}\r\n\r\n".encode()
    assert [message.data for message in connection["reply"].feed(bare + response(), "reply")] == [bare, response()]


def test_a_response_to_head_has_a_length_and_no_body() -> None:
    connection = framers("http1", "tcp")
    connection["request"].feed(b"HEAD / HTTP/1.1\r\n\r\n" + request(), "request")
    bare = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"
    assert [message.data for message in connection["reply"].feed(bare + response(), "reply")] == [bare, response()]


@pytest.mark.parametrize(
    ("status", "connected"), [("200 OK", True), ("299 Well", True), ("300 Choose", False), ("404 Not Found", False)]
)
def test_what_follows_a_connect_that_succeeded_is_another_protocol(status: str, connected: bool) -> None:
    """RFC 9110, section 9.3.6: its response has no body, whatever length it gives."""
    connection = framers("http1", "tcp")
    one(connection, "request", b"CONNECT orders:443 HTTP/1.1\r\n\r\n")
    whole = response(b"ok", status)
    pieces = [whole[:-2], b"ok"] if connected else [whole]
    assert [message.data for message in connection["reply"].feed(whole, "reply")] == pieces
    connection["request"].feed(request(), "request")
    assert bool(connection["request"].problem) is connected


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing"])
def test_an_interim_response_does_not_answer_its_request(status: str) -> None:
    connection = framers("http1", "tcp")
    one(connection, "request", request())
    found = connection["reply"].feed(f"HTTP/1.1 {status}\r\n\r\n".encode() + response(), "reply")
    assert [identity(message) for message in found] == [(*OPERATION, 1)] * 2


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"x" * 65536,
        b"HTTP/1.1 200 OK\nContent-Length: 0\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n folded: line\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nwithout-a-colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"0" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"1" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: unchunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked~\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
        CHUNKED_HEAD + b"3\r\nabcd\r\n",
        CHUNKED_HEAD + b"three\r\n",
        CHUNKED_HEAD + b"F" * 5000 + b"\r\n",
        CHUNKED_HEAD + b"FFFFFFFFFFFF\r\n",
        CHUNKED_HEAD + b"1;" + b"x" * 4096,
        CHUNKED_HEAD + b"0\r\n" + b"a: b\r\n" * 11000,
        f"HTTP/1.1 200 OK\r\nContent-Length: {LARGEST_MESSAGE}\r\n\r\n".encode(),
    ],
)
def test_what_cannot_be_split_passes_at_once_and_whole(reply: bytes) -> None:
    connection = framers("http1", "tcp")
    one(connection, "request", request())
    message = one(connection, "reply", reply)
    assert (message.data, identity(message)) == (reply, (None, None, None))
    assert connection["reply"].problem
    assert one(connection, "reply", b"more").data == b"more"


@pytest.mark.parametrize("head", [b"\n", b"\r\n", b"GET / HTTP/1.1\r\nA: b\n", b"GET / HTTP/1.1\r\nA: b\rC"])
def test_a_head_that_is_none_passes_with_the_byte_that_shows_it(head: bytes) -> None:
    framer = framers("http1", "tcp")["request"]
    found = [framer.feed(head[at : at + 1], "request") for at in range(len(head))]
    assert not any(found[:-1])
    assert [message.data for message in found[-1]] == [head]


def test_a_response_that_answers_nothing_passes_unidentified() -> None:
    assert one(framers("http1", "tcp"), "reply", response()).client is None


def test_a_chunked_request_of_an_old_client_passes_unidentified() -> None:
    """RFC 9112, section 6.1: whoever it is for may not know of chunks."""
    old = f"POST / HTTP/1.0\r\nX-Request-Id: {INTENT}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert one(framers("http1", "tcp"), "request", old.encode()).client is None


def test_a_body_of_unknown_length_is_kept_up_to_a_bound() -> None:
    framer = framers("http1", "tcp")["request"]
    kept = framer.feed(b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "request")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    fed = 0
    while not kept:
        kept = framer.feed(chunk, "request")
        fed += len(chunk)
    assert LARGEST_MESSAGE - len(chunk) < fed <= LARGEST_MESSAGE + len(chunk)
    assert "are kept until it is whole" in str(framer.problem)
    assert kept[0].data.endswith(chunk)


def test_requests_beyond_a_bound_that_wait_for_responses_pass_unidentified() -> None:
    connection = framers("http1", "tcp")
    found = connection["request"].feed(request() * LARGEST_WAITING + request(), "request")
    assert [message.client is None for message in found] == [False] * LARGEST_WAITING + [True]
    assert [message.seq for message in connection["reply"].feed(response() * LARGEST_WAITING, "reply")] == [
        OPERATION[1]
    ] * LARGEST_WAITING


def test_a_chunked_body_in_single_bytes_is_looked_at_once() -> None:
    body = b"1\r\nx\r\n" * 3000 + b"0\r\n\r\n"
    stream = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    framer = framers("http1", "tcp")["request"]
    found = [message for at in range(len(stream)) for message in framer.feed(stream[at : at + 1], "request")]
    assert [message.data for message in found] == [stream]


def test_after_an_upgrade_bytes_pass_as_they_come() -> None:
    connection = framers("http1", "tcp")
    one(connection, "request", request())
    one(connection, "reply", b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    assert one(connection, "reply", b"\x81\x05hello").client is None
    assert one(connection, "request", b"\x81\x05hello").data == b"\x81\x05hello"


def test_a_second_answer_or_one_out_of_order_is_not_offered() -> None:
    decisions = framers("http1", "tcp")["request"].decisions
    assert {"drop", "hold", "delay", "cut", "truncate", "corrupt", "partition", "rate"} <= decisions
    assert not decisions & {"duplicate", "reorder"}


@given(st.data())
def test_boundaries_of_reads_change_nothing(data: st.DataObject) -> None:
    requests = b"".join(request(INTENT + call, b"b" * call) for call in range(3))
    replies = response(b"first") + CHUNKED + response(b"", "404 Not Found")
    connection = framers("http1", "tcp")
    seen = []
    for direction, stream in (("request", requests), ("reply", replies)):
        cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=12)))
        for begin, end in pairwise([0, *cuts, len(stream)]):
            seen += connection[direction].feed(stream[begin:end], direction)  # type: ignore[index, arg-type]
        assert connection[direction].pending() == b""  # type: ignore[index]
    assert [message.seq for message in seen] == [5, 6, 7] * 2
    assert b"".join(message.data for message in seen) == requests + replies


LINK = "driver -> orders:8080"


def configured(rule: dict[str, object], transport: str = "tcp") -> dict[str, LinkPlan]:
    made = {"index": 0, "active": True, "link": LINK, **rule}
    link = {"name": LINK, "transport": transport, "codec": "http1", "upstream": None, "epoch": 0, "port": 8080}
    return plans({"seed": 1, "links": [{**link, "rules": [made]}]}, lambda *_, **__: None)


def test_a_relay_drops_the_answer_of_the_operation_that_a_rule_names() -> None:
    plan = configured({"kind": "Drop", "drop": "reply", "operations": [5]})[LINK]
    assert plan.port == 8080
    plan.hop.upstream(True, 1)
    plan.hop.opened(1)
    plan.hop.received(1, "request", request(INTENT) + request(INTENT + 1), 0)
    assert plan.hop.received(1, "reply", response(b"five") + response(b"six"), 0) == [
        Forward(1, "reply", response(b"six"))
    ]


def test_a_relay_refuses_what_the_protocol_does_not_allow() -> None:
    with pytest.raises(BadConfiguration, match=r"'duplicate' .* not possible"):
        configured({"kind": "Duplicate", "duplicate": "reply"})
    with pytest.raises(BadConfiguration, match="http1 is a protocol of streams"):
        configured({"kind": "Drop", "drop": "reply"}, transport="udp")


def test_a_key_that_is_no_intent_leaves_the_other_header() -> None:
    connection = framers("http1", "tcp")
    head = f"GET / HTTP/1.1\r\nIdempotency-Key: {2**63}\r\nX-Request-Id: {INTENT}\r\n\r\n"
    assert identity(one(connection, "request", head.encode())) == (*OPERATION, 1)


def test_values_of_one_name_are_joined() -> None:
    connection = framers("http1", "tcp")
    lines = (
        f"POST / HTTP/1.1\r\nX-Request-Id: {INTENT}\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    message = one(connection, "request", lines.encode() + b"1\r\na\r\n0\r\n\r\n")
    assert identity(message) == (*OPERATION, 1)
