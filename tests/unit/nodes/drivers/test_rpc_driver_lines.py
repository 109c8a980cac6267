"""A client's connections: whose calls hear that one ended, what is journalled of it, and when hello is due again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim_programs import PORT, pause, world

from nodes import ops
from nodes.drivers import Operation
from nodes.drivers.rpc import RpcDriver
from nodes.reports import Reports
from nodes.rpc.calls import End, Outcome, Session
from nodes.rpc.codecs import codec
from nodes.rpc.retry import Retry
from nodes.services.counter import COUNTER
from nodes.wire.header import CallHeader, ReplyHeader, Status
from nodes.wire.record import Kind

CLIENT, PROCESS = 10101, 7
WAIT = 20
Act = bytes | None
"""What an attempt is answered with: these bytes, b"" for a reply, None: the connection is closed."""
REPLY = b""
SILENCE = b"-"


class Calls:
    """A client with calls one after another over TCP, and a server that answers hello, and attempts as it is told."""

    def __init__(
        self,
        act: Callable[[CallHeader], Act],
        calls: int = 1,
        same: bool = False,
        serves: bool = True,
        together: bool = False,
    ) -> None:
        self.notes: list[tuple[Kind, int, int, dict[str, Any]]] = []
        self.received: list[tuple[int, int, int]] = []
        """(connection, seq, attempt)"""
        self.outcomes: list[Outcome] = []
        self._act = act
        self._codec = codec("xdr", COUNTER)
        self._same = same
        self._together = together
        with world() as made:
            if serves:
                made.host("server").spawn(self._serve())
            made.host("server")
            made.host("client").spawn(self._call(calls))
            made.run(pause(1_000), made.host("main"))

    def note(
        self,
        kind: Kind,
        client: int = 0,
        seq: int = 0,
        attempt: int = 0,
        process: int = 0,
        detail: dict[str, Any] | None = None,
    ) -> None:
        assert (client, process) == (CLIENT, PROCESS)
        self.notes.append((kind, seq, attempt, detail or {}))

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        """Other tests read them."""

    def of(self, kind: Kind) -> list[tuple[int, int, dict[str, Any]]]:
        return [(seq, attempt, detail) for noted, seq, attempt, detail in self.notes if noted is kind]

    def _serve(self) -> ops.Program:
        listener = yield ops.Listen(("server", PORT))
        connection = 0
        while True:
            connection += 1
            socket = yield ops.Accept(listener)
            yield ops.Spawn(self._connection(socket, connection), "connection")

    def _connection(self, socket: ops.Socket, connection: int) -> ops.Program:
        splitter = self._codec.stream()
        while data := (yield ops.Recv(socket, 65_536)):
            for message in splitter.feed(data):
                call = self._codec.decode_call(message)
                header, procedure = call.header, call.procedure
                assert header is not None
                assert procedure is not None
                self.received.append((connection, header.seq, header.attempt))
                act = self._act(header) if header.seq else REPLY
                if act is None:
                    yield ops.Close(socket)
                    return
                reply = ReplyHeader(header.client, header.seq, header.attempt, Status.EXECUTED, 11, 22, 60_000)
                value = 5 if header.seq else None
                whole = self._codec.wrap(self._codec.encode_reply(call.xid, procedure, reply, value))
                if act != SILENCE:
                    yield ops.Send(socket, act or whole)

    def _call(self, calls: int) -> ops.Program:
        retry = Retry(attempts=2, first=WAIT, maximum=WAIT, jitter=0.0, same_connection=self._same)
        session = Session(CLIENT, "exactly-once")
        reports = Reports(ops.Queue())
        driver = RpcDriver(
            session, COUNTER, self._codec, "tcp", ("server", PORT), "client", retry, self, reports, PROCESS
        )
        yield ops.Spawn(driver.open(), "open")
        if self._together:
            yield from self._begin_all(driver, calls)
            return
        yield from pause(WAIT // 2)
        for seq in range(1, calls + 1):
            operation = Operation(seq, 1_000_000 + seq, "add", 5)
            driver.begin(operation)
            self.outcomes.append((yield from driver.invoke(operation)))
        yield from driver.close()

    def _begin_all(self, driver: RpcDriver, calls: int) -> ops.Program:
        operations = [Operation(seq, 1_000_000 + seq, "add", 5) for seq in range(1, calls + 1)]
        for operation in operations:
            driver.begin(operation)
        tasks = []
        for operation in operations:
            tasks.append((yield ops.Spawn(driver.invoke(operation), "call")))
        for task in tasks:
            self.outcomes.append((yield ops.Join(task)))


def first(act: Act) -> Callable[[CallHeader], Act]:
    """So is the first attempt of call 1 answered, all else by a reply."""
    return lambda header: act if (header.seq, header.attempt) == (1, 1) else REPLY


def test_a_connection_that_the_server_closes_is_noted_and_hello_is_said_on_the_next() -> None:
    calls = Calls(first(None), calls=2)
    assert calls.received == [(1, 0, 1), (1, 1, 1), (2, 1, 2), (2, 0, 2), (2, 2, 1)]
    assert calls.of(Kind.END) == [(1, 1, {"connection": 1, "error": "end of file"})]
    assert [detail["connection"] for _, _, detail in calls.of(Kind.SEND)] == [1, 2, 2]
    assert calls.outcomes == [Outcome(End.OK, 5)] * 2


def test_an_attempt_that_timed_out_ends_its_connection_but_hello_was_said() -> None:
    calls = Calls(first(SILENCE), calls=2)
    assert calls.received == [(1, 0, 1), (1, 1, 1), (2, 1, 2), (2, 2, 1)]
    assert calls.of(Kind.END) == [(1, 1, {"connection": 1, "error": "timeout"})]
    assert calls.outcomes == [Outcome(End.OK, 5)] * 2


def test_it_is_sent_again_on_its_own_connection_if_the_client_is_told_so() -> None:
    calls = Calls(first(SILENCE), same=True)
    assert calls.received == [(1, 0, 1), (1, 1, 1), (1, 1, 2)]
    assert calls.of(Kind.END) == []
    assert calls.outcomes == [Outcome(End.OK, 5)]


def test_calls_that_are_open_together_share_one_connection_and_one_hello() -> None:
    calls = Calls(first(REPLY), calls=4, together=True)
    assert sorted(calls.received) == [(1, seq, 1) for seq in range(5)]
    assert calls.outcomes == [Outcome(End.OK, 5)] * 4
    assert [detail["first"] for *_, detail in calls.of(Kind.SEND)] == [1] * 4


def test_all_that_are_open_hear_that_their_connection_ended() -> None:
    calls = Calls(
        lambda header: None if (header.seq, header.attempt) == (3, 1) else SILENCE if header.attempt == 1 else REPLY,
        calls=3,
        together=True,
    )
    assert sorted((seq, detail["connection"]) for seq, _, detail in calls.of(Kind.END)) == [(1, 1), (2, 1), (3, 1)]
    assert {(seq, attempt) for connection, seq, attempt in calls.received if connection == 2 and seq} == {
        (1, 2),
        (2, 2),
        (3, 2),
    }
    assert calls.outcomes == [Outcome(End.OK, 5)] * 3


def test_bytes_that_are_no_reply_end_the_connection() -> None:
    calls = Calls(first(b"\x80\x00\x00\x04what"))
    [(seq, attempt, broken)] = calls.of(Kind.BROKEN)
    assert (seq, attempt, broken["size"], broken["connection"]) == (0, 0, 0, 1)
    assert calls.of(Kind.END) == [(1, 1, {"connection": 1, "error": broken["reason"]})]
    assert calls.received[2] == (2, 1, 2)
    assert calls.outcomes == [Outcome(End.OK, 5)]


def test_a_call_is_over_when_the_connection_of_its_last_attempt_ends() -> None:
    calls = Calls(lambda _: None)
    assert calls.received == [(1, 0, 1), (1, 1, 1), (2, 1, 2)]
    assert calls.outcomes == [Outcome(End.INFO, "the connection ended")]


def test_a_call_that_reached_nobody_failed_for_certain() -> None:
    calls = Calls(first(REPLY), serves=False)
    assert calls.of(Kind.UNCONNECTED) == [(1, each, {"error": "ConnectionRefusedError"}) for each in (1, 2)]
    assert calls.outcomes == [Outcome(End.FAIL, "no connection")]
