"""The five call semantics as pure state machines, and what each variant does wrong."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.ops import ReplyRecord
from nodes.rpc.mechanism import WINDOW, Do, Filtered, Mechanism, Waiter
from nodes.rpc.semantics import Identity, binding, mechanism
from nodes.wire.header import CallHeader, Status

IDENTITY = Identity(incarnation=11, history=22, lease=1000)
FILTERING = ("at-most-once", "at-most-once-incarnation", "exactly-once")
CLIENT = 101


class Server:
    """A mechanism with every execution finished by hand."""

    def __init__(self, semantics: str, variant: str | None = None, records: Iterable[ReplyRecord] = ()) -> None:
        self.trims: list[tuple[int, int]] = []
        self.semantics = semantics
        self.mechanism: Mechanism = mechanism(
            semantics, variant, IDENTITY, records, lambda client, mark: self.trims.append((client, mark))
        )
        self.mechanism.hello(CLIENT)
        self.copies = 0

    def call(self, seq: int, first: int | None = None, server: int | None = None, client: int = CLIENT) -> Waiter:
        self.copies += 1
        bound = binding(self.semantics, IDENTITY) if server is None else server
        return Waiter(CallHeader(client, seq, self.copies, seq if first is None else first, bound, 7), self.copies, "p")

    def arrive(self, seq: int, **fields: int) -> tuple[Do, Status]:
        arrival = self.mechanism.arrive(self.call(seq, **fields))
        return arrival.do, arrival.status

    def run(self, seq: int, value: int = 0, **fields: int) -> None:
        waiter = self.call(seq, **fields)
        assert self.mechanism.arrive(waiter).do is Do.EXECUTE
        self.mechanism.complete(waiter, value)


@pytest.mark.parametrize("semantics", ["maybe", "at-least-once"])
def test_unfiltered_executes_every_copy_and_answers_it_alone(semantics: str) -> None:
    server = Server(semantics)
    for _ in range(3):
        waiter = server.call(1)
        assert server.mechanism.arrive(waiter).do is Do.EXECUTE
        assert server.mechanism.complete(waiter, 5) == [(waiter, Status.EXECUTED)]


@pytest.mark.parametrize("semantics", FILTERING)
def test_repeat_after_completion_is_answered_from_the_history(semantics: str) -> None:
    server = Server(semantics)
    server.run(1, value=42)
    arrival = server.mechanism.arrive(server.call(1))
    assert (arrival.do, arrival.status, arrival.value) == (Do.ANSWER, Status.CACHED, 42)


@pytest.mark.parametrize("semantics", FILTERING)
def test_repeat_while_executing_joins_and_everybody_is_answered(semantics: str) -> None:
    server = Server(semantics)
    first, second, third = server.call(1), server.call(1), server.call(1)
    assert server.mechanism.arrive(first).do is Do.EXECUTE
    assert server.mechanism.arrive(second).do is Do.WAIT
    assert server.mechanism.arrive(third).do is Do.WAIT
    answers = server.mechanism.complete(first, 9)
    assert answers == [(first, Status.EXECUTED), (second, Status.JOINED), (third, Status.JOINED)]


@pytest.mark.parametrize("semantics", FILTERING)
def test_below_the_mark_is_stale_and_the_history_does_not_grow(semantics: str) -> None:
    server = Server(semantics)
    for seq in range(1, 200):
        server.run(seq)
    assert server.arrive(5) == (Do.ANSWER, Status.STALE)
    assert isinstance(server.mechanism, Filtered)
    assert len(server.mechanism.clients[CLIENT].results) == 1
    assert server.trims[-1] == (CLIENT, 199)


@pytest.mark.parametrize("semantics", FILTERING)
def test_lower_number_after_a_higher_one_executes(semantics: str) -> None:
    server = Server(semantics)
    server.run(2, first=1)
    server.run(1, first=1)


@pytest.mark.parametrize("semantics", FILTERING)
def test_outstanding_operations_are_bounded(semantics: str) -> None:
    server = Server(semantics)
    assert server.arrive(1 + WINDOW, first=1) == (Do.ANSWER, Status.BUSY)
    assert server.arrive(WINDOW, first=1)[0] is Do.EXECUTE


@pytest.mark.parametrize("semantics", ["at-most-once-incarnation", "exactly-once"])
def test_a_call_bound_to_another_server_is_refused(semantics: str) -> None:
    assert Server(semantics).arrive(1, server=99) == (Do.ANSWER, Status.REFUSED)


@pytest.mark.parametrize("semantics", ["at-most-once-incarnation", "exactly-once"])
def test_an_unknown_client_is_refused_where_the_history_can_tell(semantics: str) -> None:
    assert Server(semantics).arrive(1, client=999) == (Do.ANSWER, Status.REFUSED)


def test_the_volatile_history_takes_an_unknown_client_as_new() -> None:
    assert Server("at-most-once").arrive(1, client=999)[0] is Do.EXECUTE


def test_exactly_once_recovers_results_and_mark_from_its_records() -> None:
    records = [ReplyRecord(CLIENT, 3, 3, 33), ReplyRecord(CLIENT, 4, 3, 44)]
    server = Server("exactly-once", records=records)
    arrival = server.mechanism.arrive(server.call(4, first=3))
    assert (arrival.status, arrival.value) == (Status.CACHED, 44)
    assert server.arrive(2, first=2) == (Do.ANSWER, Status.STALE)
    assert server.arrive(5, first=3)[0] is Do.EXECUTE


def test_exactly_once_knows_a_client_again_that_only_said_hello() -> None:
    server = Server("exactly-once")
    hello = server.mechanism.record(CallHeader(CLIENT, 0, 1, 0, 0, 0), None)
    assert hello is not None
    assert Server("exactly-once", records=[hello]).arrive(1)[0] is Do.EXECUTE


def test_only_exactly_once_has_records() -> None:
    header = CallHeader(CLIENT, 1, 1, 1, 0, 0)
    assert [Server(name).mechanism.record(header, 1) is not None for name in FILTERING] == [False, False, True]


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        Server("exactly-twice")


COPIES = st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=40)


@settings(deadline=None)
@given(copies=COPIES)
@pytest.mark.parametrize("semantics", FILTERING)
def test_no_sequence_of_copies_executes_an_operation_twice(semantics: str, copies: list[tuple[int, bool]]) -> None:
    server = Server(semantics)
    executing: dict[int, Waiter] = {}
    executions: dict[int, int] = {}
    for seq, finish in copies:
        waiter = server.call(seq, first=1)
        if server.mechanism.arrive(waiter).do is Do.EXECUTE:
            executing[seq] = waiter
            executions[seq] = executions.get(seq, 0) + 1
        if finish and seq in executing:
            server.mechanism.complete(executing.pop(seq), seq)
    assert all(count == 1 for count in executions.values())
    assert set(executions) == {seq for seq, _ in copies}


def test_no_duplicate_filter_executes_twice() -> None:
    server = Server("at-most-once", "no-duplicate-filter")
    server.run(1)
    assert server.arrive(1)[0] is Do.EXECUTE


def test_high_water_filter_mistakes_a_late_first_copy_for_a_repeat() -> None:
    server = Server("at-most-once", "high-water-filter")
    server.run(2, first=1)
    assert server.arrive(1, first=1) == (Do.ANSWER, Status.STALE)


def test_forgets_too_early_executes_a_repeat_and_says_what_it_forgot() -> None:
    server = Server("at-most-once", "forgets-too-early")
    server.run(1)
    assert (CLIENT, 2) in server.trims
    assert server.arrive(1)[0] is Do.EXECUTE


@pytest.mark.parametrize("semantics", ["at-most-once-incarnation", "exactly-once"])
def test_incarnation_ignored_takes_a_call_for_another_server(semantics: str) -> None:
    assert Server(semantics, "incarnation-ignored").arrive(1, server=99)[0] is Do.EXECUTE
