"""A client's connections: whose calls hear that one ended, what is journalled of it, and when hello is due again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rpc_bench import CLIENT, PROCESS, RETRY, WAIT, DriverBench, operation
from sim_programs import PORT, pause, world

from nodes import ops
from nodes.drivers.lines import Line, Lines
from nodes.drivers.rpc import RpcDriver
from nodes.rpc.calls import End, Outcome, Session
from nodes.wire.addresses import IPv4
from nodes.wire.header import CallHeader
from nodes.wire.record import Kind
from nodes.wire.transports import TRANSPORTS

Act = bytes | None
"""What an attempt is answered with: these bytes, b"" for a reply, None: the connection is closed."""
REPLY = b""
SILENCE = b"-"


class Calls(DriverBench):
    """A client with calls one after another over TCP, and a server that answers hello, and attempts as it is told."""

    def __init__(
        self,
        act: Callable[[CallHeader], Act],
        calls: int = 1,
        same: bool = False,
        serves: bool = True,
        together: bool = False,
        greetings: int = 1,
    ) -> None:
        """`greetings`: how often each hello is answered."""
        super().__init__("xdr", "tcp", RETRY._replace(same_connection=same))
        self.received: list[tuple[int, int, int]] = []
        """(connection, seq, attempt)"""
        self.outcomes: list[Outcome] = []
        self._act = act
        self._together = together
        self._greetings = greetings
        with world() as made:
            if serves:
                made.host("server").spawn(self._serve())
            made.host("server")
            made.host("client").spawn(self._call(calls))
            made.run(pause(1_000), made.host("main"))

    def noted(self, kind: Kind) -> list[tuple[object, ...]]:
        """(number, attempt, detail)"""
        return [said[1:] for said in self.said() if said[0] is kind]

    def _serve(self) -> ops.Program:
        listener = yield ops.Listen(IPv4("server", PORT))
        connection = 0
        while True:
            connection += 1
            socket = yield ops.Accept(listener)
            yield ops.Spawn(self._connection(socket, connection), "connection")

    def _connection(self, socket: ops.Socket, connection: int) -> ops.Program:
        splitter = self.codec.stream()
        while data := (yield ops.Recv(socket, 65_536)):
            for message in splitter.feed(data):
                asked = self.asked(message)
                self.received.append((connection, asked.header.seq, asked.header.attempt))
                act = self._act(asked.header) if asked.header.seq else REPLY
                if act is None:
                    yield ops.Close(socket)
                    return
                if act != SILENCE:
                    times = 1 if asked.header.seq else self._greetings
                    yield ops.Send(socket, act or self.codec.wrap(self.reply(asked)) * times)

    def _call(self, calls: int) -> ops.Program:
        driver = self.driver()
        yield ops.Spawn(driver.open(), "open")
        if self._together:
            yield from self._begin_all(driver, calls)
            return
        yield from pause(WAIT // 2)
        for seq in range(1, calls + 1):
            driver.begin(operation(seq))
            self.outcomes.append((yield from driver.invoke(operation(seq))))
        yield from driver.close()

    def _begin_all(self, driver: RpcDriver, calls: int) -> ops.Program:
        operations = [operation(seq) for seq in range(1, calls + 1)]
        for each in operations:
            driver.begin(each)
        tasks = []
        for each in operations:
            tasks.append((yield ops.Spawn(driver.invoke(each), "call")))
        for task in tasks:
            self.outcomes.append((yield ops.Join(task)))


def first(act: Act) -> Callable[[CallHeader], Act]:
    """So is the first attempt of call 1 answered, all else by a reply."""
    return lambda header: act if (header.seq, header.attempt) == (1, 1) else REPLY


def test_a_connection_that_the_server_closes_is_noted_and_hello_is_said_on_the_next() -> None:
    calls = Calls(first(None), calls=2)
    assert calls.received == [(1, 0, 1), (1, 1, 1), (2, 1, 2), (2, 0, 2), (2, 2, 1)]
    assert calls.noted(Kind.END) == [(1, 1, {"connection": 1, "error": "end of file"})]
    assert [detail["connection"] for _, _, detail in calls.noted(Kind.SEND)] == [1, 2, 2]
    assert calls.outcomes == [Outcome(End.OK, 5)] * 2


def test_an_attempt_that_timed_out_ends_its_connection_but_hello_was_said() -> None:
    calls = Calls(first(SILENCE), calls=2)
    assert calls.received == [(1, 0, 1), (1, 1, 1), (2, 1, 2), (2, 2, 1)]
    assert calls.noted(Kind.END) == [(1, 1, {"connection": 1, "error": "timeout"})]
    assert calls.outcomes == [Outcome(End.OK, 5)] * 2


def test_what_hello_learned_is_noted_once_for_each_though_it_is_answered_twice() -> None:
    calls = Calls(first(None), calls=2, greetings=2)
    assert [(seq, attempt) for seq, attempt, _ in calls.noted(Kind.SESSION)] == [(0, 1), (0, 2)]
    assert calls.outcomes == [Outcome(End.OK, 5)] * 2


def test_it_is_sent_again_on_its_own_connection_if_the_client_is_told_so() -> None:
    calls = Calls(first(SILENCE), same=True)
    assert calls.received == [(1, 0, 1), (1, 1, 1), (1, 1, 2)]
    assert calls.noted(Kind.END) == []
    assert calls.outcomes == [Outcome(End.OK, 5)]


def test_calls_that_are_open_together_share_one_connection_and_one_hello() -> None:
    calls = Calls(first(REPLY), calls=4, together=True)
    assert sorted(calls.received) == [(1, seq, 1) for seq in range(5)]
    assert calls.outcomes == [Outcome(End.OK, 5)] * 4
    assert [detail["first"] for *_, detail in calls.noted(Kind.SEND)] == [1] * 4


def test_all_that_are_open_hear_that_their_connection_ended() -> None:
    calls = Calls(
        lambda header: None if (header.seq, header.attempt) == (3, 1) else SILENCE if header.attempt == 1 else REPLY,
        calls=3,
        together=True,
    )
    assert sorted((seq, detail["connection"]) for seq, _, detail in calls.noted(Kind.END)) == [(1, 1), (2, 1), (3, 1)]
    assert {(seq, attempt) for connection, seq, attempt in calls.received if connection == 2 and seq} == {
        (1, 2),
        (2, 2),
        (3, 2),
    }
    assert calls.outcomes == [Outcome(End.OK, 5)] * 3


def test_bytes_that_are_no_reply_end_the_connection() -> None:
    calls = Calls(first(b"\x80\x00\x00\x04what"))
    [(seq, attempt, broken)] = calls.noted(Kind.BROKEN)
    assert (seq, attempt, broken["size"], broken["connection"]) == (0, 0, 0, 1)
    assert calls.noted(Kind.END) == [(1, 1, {"connection": 1, "error": broken["reason"]})]
    assert calls.received[2] == (2, 1, 2)
    assert calls.outcomes == [Outcome(End.OK, 5)]


def test_a_call_is_over_when_the_connection_of_its_last_attempt_ends() -> None:
    calls = Calls(lambda _: None)
    assert calls.received == [(1, 0, 1), (1, 1, 1), (2, 1, 2)]
    assert calls.outcomes == [Outcome(End.INFO, "the connection ended")]


def test_a_call_that_reached_nobody_failed_for_certain() -> None:
    calls = Calls(first(REPLY), serves=False)
    assert calls.noted(Kind.UNCONNECTED) == [(1, each, {"error": "ConnectionRefusedError"}) for each in (1, 2)]
    assert calls.outcomes == [Outcome(End.FAIL, "no connection")]


class Given(Lines):
    """Connects in one step."""

    def _connect_and_greet(self, bound: bool, deadline: int) -> ops.Program:
        yield ops.Now()
        self.line = Line(ops.Socket(), 1)
        return self.line


def test_a_line_that_ends_while_the_next_call_is_given_its_turn_is_not_sent_on() -> None:
    """Its end was told to everybody by then, and nobody would tell that call."""
    bench = DriverBench("xdr", "tcp")
    session, target = Session(CLIENT, "exactly-once"), IPv4("server", PORT)
    lines = Given(session, bench.codec, TRANSPORTS["tcp"], target, "client", bench, PROCESS)
    first, second = (lines.connected(None, 0) for _ in range(2))
    assert isinstance(next(first), ops.Now)
    assert isinstance(next(second), ops.Get)
    assert isinstance(first.send(0), ops.Put)
    ended = lines.line
    assert ended is not None
    ended.alive = False
    assert isinstance(first.send(None), ops.Get)  # it connects again, after the other
    assert isinstance(second.send(None), ops.Now)
    assert isinstance(second.send(0), ops.Put)
    with pytest.raises(StopIteration) as given:
        second.send(None)
    assert given.value.value.alive
    assert isinstance(first.send(None), ops.Now)
    with pytest.raises(StopIteration) as given:
        first.send(0)
    assert given.value.value.alive


def looking(transport: str, waited: bool) -> tuple[Line, ops.Program]:
    """-> the line of a driver that is connected, and what it does for its next operation."""
    driver = DriverBench("xdr", transport).driver()
    line = driver._lines.line = Line(ops.Socket(), 1)
    driver.begin(operation(1))
    return line, driver.invoke(operation(1)._replace(waited=waited))


@pytest.mark.parametrize("ended", [True, False])
def test_after_a_gate_a_line_whose_end_its_reader_was_not_told_of_is_not_sent_on(ended: bool) -> None:
    """As when the gate's release wakes a thread before the end of file wakes another."""
    line, invoking = looking("tcp", waited=True)
    asked = next(invoking)
    assert isinstance(asked, ops.HasEnded)
    assert asked.socket is line.socket
    then = invoking.send(ended)
    assert isinstance(then, ops.Close if ended else ops.Random)
    assert line.alive is not ended


@pytest.mark.parametrize(("transport", "waited"), [("tcp", False), ("udp", True), ("udp", False)])
def test_without_a_gate_or_a_connection_nothing_is_asked(transport: str, waited: bool) -> None:
    _, invoking = looking(transport, waited)
    assert isinstance(next(invoking), ops.Random)
