"""A server's endpoint: what it executes, what it answers, and which failpoints each call passes on its way."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from serving import ADD, CLIENT, LINK, Served

from nodes.failpoints import NAMES as FAILPOINTS
from nodes.ops import Program, Send, Socket, Task
from nodes.rpc.codecs import NAMES
from nodes.rpc.interface import HELLO, Procedure
from nodes.rpc.serve import Ending, Outbox, resume
from nodes.wire.header import Status
from nodes.wire.record import Kind

NO_HEADER = b"\x94\x00\x07\xa3add\x91\x05"
"""MessagePack-RPC as anybody's client says it: msgid 7, add(5)."""


def statuses(replies: list[Any]) -> list[Status | None]:
    return [reply.header and Status(reply.header.status) for reply in replies]


# What is executed


@pytest.mark.parametrize("codec", NAMES)
def test_a_call_is_executed_committed_and_answered(codec: str) -> None:
    served = Served(codec_name=codec)
    (reply,) = served.datagrams(served.call(1, arguments=(5,)))
    assert (reply.value, reply.error, reply.header[:4]) == (5, None, (CLIENT, 1, 1, Status.EXECUTED))
    assert [row.result for row in served.ledger.effects()] == [5]
    assert [noted.kind for noted in served.notes] == [Kind.RECEIVE, Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER]


@pytest.mark.parametrize("codec", NAMES)
@pytest.mark.parametrize(
    ("procedure", "arguments", "problem"),
    [
        (Procedure(ADD.number, ADD.name), (), "GARBAGE_ARGS"),
        (Procedure(99, "subtract"), (), "PROC_UNAVAIL"),
    ],
)
def test_what_cannot_be_executed_is_answered_and_not_executed(
    codec: str, procedure: Procedure, arguments: tuple[Any, ...], problem: str
) -> None:
    served = Served(codec_name=codec)
    (reply,) = served.datagrams(served.call(1, procedure=procedure, arguments=arguments))
    assert (reply.header, reply.error) == (None, problem)
    call = served.call(1, procedure=procedure, arguments=arguments)
    assert [(noted.kind, noted.detail) for noted in served.notes] == [
        (Kind.BROKEN, {"reason": problem, "size": len(call), "connection": 0})
    ]
    assert served.passages == []
    assert served.ledger.effects() == []


def test_a_copy_is_answered_from_the_history() -> None:
    served = Served()
    replies = served.datagrams(served.call(1), served.call(1, 2))
    assert statuses(replies) == [Status.EXECUTED, Status.CACHED]
    assert [reply.value for reply in replies] == [1, 1]
    assert served.noted(Kind.EXECUTE) == [(1, 1)]


def test_a_copy_that_comes_while_its_operation_executes_joins_it() -> None:
    served = Served(yields=50)
    replies = served.datagrams(served.call(1), served.call(1, 2))
    assert sorted((reply.header.attempt, reply.header.status) for reply in replies) == [
        (1, Status.EXECUTED),
        (2, Status.JOINED),
    ]
    assert served.noted(Kind.EXECUTE) == [(1, 1)]
    assert (served.endpoint.received, served.endpoint.executing) == (2, 0)


@pytest.mark.parametrize("codec", NAMES)
def test_a_status_without_a_result_is_answered_without_one(codec: str) -> None:
    served = Served(codec_name=codec)
    served.bound = 99
    (reply,) = served.datagrams(served.call(1))
    assert (statuses([reply]), reply.value) == ([Status.REFUSED], None)
    assert reply.error in ("refused", "SYSTEM_ERR")
    assert served.ledger.effects() == []


def test_a_call_without_a_header_is_executed_every_time_and_recorded_nowhere() -> None:
    served = Served(codec_name="msgpack")
    replies = served.datagrams(NO_HEADER, NO_HEADER)
    assert [(reply.header, reply.value) for reply in replies] == [(None, 5), (None, 10)]
    assert served.noted(Kind.EXECUTE) == [(1, 1), (2, 1)]
    said = [(noted.client, noted.seq, noted.detail) for noted in served.of(Kind.RECEIVE, Kind.EXECUTE)]
    received = {"connection": 0, "first": 0, "server": 0, "link": LINK}
    executed = {"intent": 0, "f": "add", "value": 5}
    assert said == [(0, seq, detail) for seq in (1, 2) for detail in (received, executed)]
    assert served.ledger.records() == []
    assert served.endpoint.executing == 0


# Which failpoints it passes


@pytest.mark.parametrize("yields", [0, 5])
def test_a_call_passes_every_failpoint_once_and_in_order(yields: int) -> None:
    served = Served(yields=yields)
    served.datagrams(served.call(3, 2))
    assert served.passages == [(name, CLIENT, 3, 2) for name in FAILPOINTS]


def test_a_copy_of_what_was_executed_passes_those_of_its_answer() -> None:
    served = Served()
    served.datagrams(served.call(1), served.call(1, 2))
    assert [name for name, *_, attempt in served.passages if attempt == 2] == ["received", "before-send", "after-send"]


@pytest.mark.parametrize(("dies_at", "answered"), [("before-send", False), ("after-send", True)])
def test_the_answer_leaves_between_its_two_failpoints(dies_at: str, answered: bool) -> None:
    served = Served(dies_at=dies_at)
    assert bool(served.datagrams(served.call(1))) is answered
    assert served.noted(Kind.ANSWER) == [(1, 1)]


def test_hello_is_recorded_and_passes_failpoints_as_no_operation() -> None:
    served = Served()
    (reply,) = served.datagrams(served.call(0, procedure=HELLO, arguments=()))
    assert statuses([reply]) == [Status.EXECUTED]
    assert served.passages == [(name, CLIENT, 0, 1) for name in FAILPOINTS]
    assert [(record.client, record.seq) for record in served.ledger.records()] == [(CLIENT, 0)]
    assert served.noted(Kind.EXECUTE) == []


# What comes in damaged


def test_a_broken_datagram_is_noted_and_the_next_is_served() -> None:
    served = Served()
    replies = served.datagrams(b"nonsense", served.call(1))
    assert statuses(replies) == [Status.EXECUTED]
    (detail,) = [noted.detail for noted in served.of(Kind.BROKEN)]
    assert detail.pop("reason")
    assert detail == {"size": 8, "connection": 0}
    assert served.endpoint.broken == 1


def test_a_broken_stream_is_served_until_there_noted_and_ended() -> None:
    served = Served(codec_name="msgpack")
    replies = served.stream(served.call(1) + b"\xc1" + served.call(2))
    assert statuses(replies) == [Status.EXECUTED]
    ((*_, detail),) = served.of(Kind.BROKEN)
    assert isinstance(detail.pop("reason"), str)
    assert detail == {"size": 0, "connection": 1}
    assert (served.endpoint.broken, served.endpoint.connections) == (1, 0)


@pytest.mark.parametrize("codec", NAMES)
def test_a_stream_may_come_in_any_pieces(codec: str) -> None:
    served = Served(codec_name=codec)
    sent = b"".join(served.codec.wrap(served.call(seq)) for seq in (1, 2, 3))
    replies = served.stream(*(sent[at : at + 7] for at in range(0, len(sent), 7)))
    assert [reply.value for reply in replies] == [1, 2, 3]
    assert {noted.detail["connection"] for noted in served.of(Kind.RECEIVE)} == {1}


# By hand


def test_an_outbox_sends_one_at_a_time_in_order_and_goes_on_after_an_error() -> None:
    outbox, socket = Outbox(), Socket()
    sends = [Send(socket, data) for data in (b"1", b"2", b"3")]
    first = outbox.send(sends[0])
    assert next(first) is sends[0]
    assert list(outbox.send(sends[1])) == list(outbox.send(sends[2])) == []
    assert first.throw(BrokenPipeError()) is sends[1]
    assert first.send(None) is sends[2]
    assert next(first, None) is None
    assert list(outbox.send(sends[0])) == [sends[0]]


def test_a_resumed_program_gets_results_and_errors_and_its_result_is_returned() -> None:
    def program() -> Generator[Any, Any, Any]:
        first = yield "started"
        try:
            yield first
        except OSError:
            return "ended"

    started = program()
    resumed = resume(started, next(started))
    assert next(resumed) == "started"
    assert resumed.send("second") == "second"
    with pytest.raises(StopIteration) as end:
        resumed.throw(OSError())
    assert end.value.value == "ended"


def nothing() -> Program:
    yield from ()


def test_tasks_that_have_ended_are_forgotten() -> None:
    tasks, ending = [Task(nothing()) for _ in range(100)], Ending()
    for task in tasks:
        task.done = True
        ending.add(task)
    assert len(ending._tasks) < 5
    assert ending.count() == 0
    ending.add(Task(nothing()))
    assert ending.count() == 1
