"""A client of our own: which failpoints its calls pass, and when their bytes leave."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from rpc_bench import CLIENT, IDENTITY, RETRY, WAIT, Asked, DriverBench, operation
from sim_programs import MILLISECOND, PORT, pause, world

from nodes import ops
from nodes.drivers.rpc import RpcDriver
from nodes.drivers.variants import DRIVERS
from nodes.rpc.calls import Call, End, Outcome
from nodes.rpc.codecs import NAMES
from nodes.wire.addresses import IPv4
from nodes.wire.header import CallHeader, Status
from nodes.wire.oncrpc import Accept
from nodes.wire.record import Kind

Answering = Callable[[CallHeader], Status | Accept | None]
"""The status that an attempt is answered with, or the problem, which has no header; None: not at all."""


def executed(_: CallHeader) -> Status:
    return Status.EXECUTED


class Calling(DriverBench):
    """One client with one operation over UDP, and a server that notes each attempt and answers as it is told to."""

    def __init__(
        self,
        answering: Answering = executed,
        dies_at: str = "",
        codec_name: str = "msgpack",
        stray: int = 0,
        finish: bool = False,
        late: bool = False,
        kind: type[RpcDriver] = RpcDriver,
    ) -> None:
        """`finish`: settling is over while the first attempt waits. `late`: the first hello is answered in the moment
        in which its wait is over, just after it. `stray` is added to the xid of a problem, and to
        the client of a reply to attempt 1."""
        super().__init__(codec_name, "udp", RETRY._replace(attempts=3, maximum=4 * WAIT))
        self.received: list[tuple[int, int]] = []
        self.hellos: list[CallHeader] = []
        self.calls: list[tuple[CallHeader, int]] = []
        """(header, argument) of each attempt."""
        self.times: list[int] = []
        self.outcome: Outcome | None = None
        self._answering = answering
        self._stray, self._dies_at = stray, dies_at
        self._finish = finish
        self._late = late
        self._kind = kind
        with world(latency=(0, 0)) if late else world() as made:
            made.host("server").spawn(self._serve())
            self._host = made.host("client")
            self._host.spawn(self._call())
            made.run(pause(1_000), made.host("main"))

    @property
    def broken(self) -> list[str]:
        return [noted.detail["reason"] for noted in self.of(Kind.BROKEN)]

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        super().passage(name, client, seq, attempt)
        if name == self._dies_at and seq:
            self._host.die()

    def _serve(self) -> ops.Program:
        socket = yield ops.Bind(IPv4("server", PORT))
        waiting = yield ops.Spawn(pause(WAIT))
        while True:
            data, address = yield ops.RecvFrom(socket, 65_536)
            asked = self.asked(data)
            self.received.append((asked.header.seq, asked.header.attempt))
            if not asked.header.seq:
                self.hellos.append(asked.header)
            else:
                self.calls.append((asked.header, *asked.call.arguments))
            self.times.append((yield ops.Now()))
            if self._late and (asked.header.seq, asked.header.attempt) == (0, 1):
                yield ops.Join(waiting)
            status = self._answering(asked.header)
            if status is not None:
                yield ops.SendTo(socket, self._answer(asked, status), address)

    def _answer(self, asked: Asked, status: Status | Accept) -> bytes:
        if isinstance(status, Accept):
            return self.codec.encode_problem(asked.call._replace(xid=asked.call.xid + self._stray, problem=status))
        stray = self._stray if asked.header.seq and asked.header.attempt == 1 else 0
        return self.reply(asked, status, CLIENT + stray)

    def _call(self) -> ops.Program:
        driver = self.driver(self._kind)
        yield from driver.open()
        driver.begin(operation(1))
        if self._finish:
            yield ops.Spawn(self._finished(driver), "finish")
        self.outcome = yield from driver.invoke(operation(1))
        yield from driver.close()

    def _finished(self, driver: RpcDriver) -> ops.Program:
        yield from pause(WAIT // 4)
        yield from driver.finish()


def test_a_call_that_is_open_when_settling_is_over_ends_unknown() -> None:
    calling = Calling(lambda header: None if header.seq else Status.EXECUTED, finish=True)
    assert calling.received == [(0, 1), (1, 1)]
    assert calling.outcome == Outcome(End.INFO, "no reply when settling ended")


class Begun(Calling):
    """Settling is over after its operation began, and before its program runs."""

    def _call(self) -> ops.Program:
        driver = self.driver()
        yield from driver.open()
        driver.begin(operation(1))
        yield from driver.finish()
        self.outcome = yield from driver.invoke(operation(1))


def test_a_call_that_began_when_settling_is_over_is_sent_once() -> None:
    begun = Begun(lambda header: None if header.seq else Status.EXECUTED)
    assert begun.received == [(0, 1), (1, 1)]
    assert begun.outcome == Outcome(End.INFO, "no reply when settling ended")


class Unanswered(Calling):
    """Settling is over while its first hello waits for an answer."""

    def _call(self) -> ops.Program:
        driver = self.driver()
        yield ops.Spawn(self._finished(driver), "finish")
        yield from driver.open()
        self.outcome = Outcome(End.INFO, "opened")


def test_hello_is_said_no_more_when_settling_is_over() -> None:
    calling = Unanswered(lambda header: None)
    assert (calling.received, calling.outcome) == ([(0, 1)], Outcome(End.INFO, "opened"))


def test_a_call_passes_the_failpoints_of_a_client_in_their_order() -> None:
    calling = Calling()
    assert calling.outcome == Outcome(End.OK, 5)
    assert [name for name, _, seq, _ in calling.passages if seq] == ["before-send", "after-send", "received"]
    assert {passage[1:] for passage in calling.passages} == {(CLIENT, 0, 1), (CLIENT, 1, 1)}


def test_a_client_journals_who_answered_hello_and_what_it_sent_and_received() -> None:
    calling = Calling(lambda header: None if (header.seq, header.attempt) == (1, 1) else Status.EXECUTED)
    executed = int(Status.EXECUTED)
    sent = {"connection": 1, "server": IDENTITY[1], "first": 1}
    assert calling.said() == [
        (Kind.REPLY, 0, 1, {"status": executed, "value": None, "connection": 1}),
        (Kind.SESSION, 0, 1, dict(zip(("incarnation", "history", "lease"), IDENTITY, strict=True))),
        (Kind.ATTEMPT, 1, 1, {"wait": 20_000_000}),
        (Kind.SEND, 1, 1, sent),
        (Kind.ATTEMPT, 1, 2, {"wait": 40_000_000}),
        (Kind.SEND, 1, 2, sent),
        (Kind.REPLY, 1, 2, {"status": executed, "value": 5, "connection": 1}),
    ]
    assert [(item["event"], item["number"], item["client"]) for item in calling.told.items] == [
        ("attempt", 1, CLIENT),
        ("attempt", 1, CLIENT),
    ]


@pytest.mark.parametrize(("dies_at", "received"), [("before-send", False), ("after-send", True)])
def test_an_attempt_leaves_between_its_two_failpoints(dies_at: str, received: bool) -> None:
    calling = Calling(dies_at=dies_at)
    assert ((1, 1) in calling.received) is received
    assert calling.outcome is None


@pytest.mark.parametrize("first", [None, Status.BUSY])
def test_an_attempt_without_an_answer_or_at_a_busy_server_is_sent_again_when_due(first: Status | None) -> None:
    calling = Calling(lambda header: first if header.seq and header.attempt == 1 else Status.EXECUTED)
    assert calling.received == [(0, 1), (1, 1), (1, 2)]
    assert calling.times[2] - calling.times[1] > WAIT * MILLISECOND // 2
    assert calling.outcome == Outcome(End.OK, 5)


def test_attempts_are_spent_and_the_call_ends_unknown() -> None:
    calling = Calling(lambda header: None if header.seq else Status.EXECUTED)
    assert calling.received == [(0, 1), (1, 1), (1, 2), (1, 3)]
    assert calling.outcome == Outcome(End.INFO, "no reply")


@pytest.mark.parametrize("codec_name", NAMES)
def test_a_reply_without_a_header_ends_its_call_at_once(codec_name: str) -> None:
    calling = Calling(lambda header: Accept.GARBAGE_ARGS if header.seq else Status.EXECUTED, codec_name=codec_name)
    assert calling.received == [(0, 1), (1, 1)]
    assert calling.outcome == Outcome(End.INFO, "GARBAGE_ARGS")
    assert calling.broken == ["a reply without a header: GARBAGE_ARGS"]


def test_a_hello_that_is_answered_without_a_header_is_said_again_when_due() -> None:
    calling = Calling(
        lambda header: Accept.PROG_UNAVAIL if (header.seq, header.attempt) == (0, 1) else executed(header)
    )
    assert calling.received == [(0, 1), (0, 2), (1, 1)]
    assert calling.hellos == [CallHeader(CLIENT, 0, attempt, 0, 0, 0) for attempt in (1, 2)]
    assert calling.times[1] - calling.times[0] > WAIT * MILLISECOND // 2
    assert [(noted.seq, noted.attempt) for noted in calling.of(Kind.SESSION)] == [(0, 2)]
    assert calling.outcome == Outcome(End.OK, 5)


def test_a_hello_that_is_answered_when_its_wait_is_over_is_journalled_too() -> None:
    calling = Calling(late=True)
    assert calling.received == [(0, 1), (1, 1)]
    assert [noted.kind for noted in calling.notes[:4]] == [Kind.REPLY, Kind.SESSION, Kind.ATTEMPT, Kind.SEND]


class Overtaken(Calling):
    """Its first hello is answered when the second has come, which is not."""

    def _serve(self) -> ops.Program:
        socket = yield ops.Bind(IPv4("server", PORT))
        first, _ = yield ops.RecvFrom(socket, 65_536)
        _, address = yield ops.RecvFrom(socket, 65_536)
        yield ops.SendTo(socket, self._answer(self.asked(first), Status.EXECUTED), address)


def test_a_session_names_the_hello_that_was_answered_which_may_be_an_earlier_one() -> None:
    assert [noted.attempt for noted in Overtaken().of(Kind.SESSION)] == [1]


def test_hellos_are_said_again_with_the_backoff_of_calls() -> None:
    calling = Calling(lambda header: None if header.attempt < 3 else Status.EXECUTED)
    assert calling.received == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
    for first in (0, 3):
        waits = [then - now for now, then in pairwise(calling.times[first : first + 3])]
        assert [round(wait / (WAIT * MILLISECOND)) for wait in waits] == [1, 2]


@pytest.mark.parametrize("answer", [Accept.SYSTEM_ERR, Status.EXECUTED])
def test_a_reply_to_another_call_or_client_is_to_somebody_else(answer: Status | Accept) -> None:
    calling = Calling(lambda header: answer if header.seq and header.attempt == 1 else Status.EXECUTED, stray=1)
    assert calling.received == [(0, 1), (1, 1), (1, 2)]
    assert calling.broken == ["a reply to somebody else"]
    assert calling.outcome == Outcome(End.OK, 5)


# Broken variants


def third(header: CallHeader) -> Status | None:
    """Hellos are answered, and the third attempt of a call."""
    return Status.EXECUTED if header.seq == 0 or header.attempt > 2 else None


def of_its_calls(variant: str | None) -> list[tuple[int, int, int]]:
    """(server that it is bound to, intent, argument) of each attempt."""
    calling = Calling(third, kind=DRIVERS[variant] if variant else RpcDriver)
    assert calling.outcome == Outcome(End.OK, 5)
    return [(header.server, header.intent, argument) for header, argument in calling.calls]


def test_each_attempt_of_a_call_is_alike() -> None:
    assert of_its_calls(None) == of_its_calls("rebinds") == of_its_calls("unknown-as-fail") == [(22, 1_000_001, 5)] * 3


def test_argument_changed_sends_another_one_each_time() -> None:
    assert of_its_calls("argument-changed") == [(22, 1_000_001, argument) for argument in (5, 6, 7)]


def test_intent_forgotten_is_said_in_the_first_attempt_only() -> None:
    assert of_its_calls("intent-forgotten") == [(22, intent, 5) for intent in (1_000_001, 0, 0)]


def test_unknown_as_fail_is_sure_of_what_it_does_not_know() -> None:
    calling = Calling(lambda header: None if header.seq else Status.EXECUTED, kind=DRIVERS["unknown-as-fail"])
    assert calling.outcome == Outcome(End.FAIL, "no reply")


@pytest.mark.parametrize(("kind", "bound"), [(RpcDriver, [22, 22]), (DRIVERS["rebinds"], [22, 33])])
def test_rebinds_to_the_server_that_it_knows_by_then(kind: type[RpcDriver], bound: list[int]) -> None:
    class Learning(kind):  # type: ignore[misc,valid-type]
        """Hears of another server between two attempts."""

        def _timed_out(self, call: Call) -> ops.Program:
            self.session.identity = self.session.identity._replace(history=33)
            yield from super()._timed_out(call)

    calling = Calling(lambda header: None if header.seq and header.attempt == 1 else Status.EXECUTED, kind=Learning)
    assert [header.server for header, _ in calling.calls] == bound
