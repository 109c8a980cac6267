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


def cached(server: Server, seq: int, client: int = CLIENT) -> object:
    """What a repeat is answered from the history."""
    arrival = server.mechanism.arrive(server.call(seq, first=1, client=client))
    assert (arrival.do, arrival.status) == (Do.ANSWER, Status.CACHED)
    return arrival.value


def test_no_duplicate_filter_answers_each_copy_by_itself() -> None:
    server = Server("at-most-once", "no-duplicate-filter")
    copies = [server.call(1), server.call(1)]
    assert [server.mechanism.arrive(copy).do for copy in copies] == [Do.EXECUTE, Do.EXECUTE]
    assert [server.mechanism.complete(copy, 1) for copy in copies] == [[(copy, Status.EXECUTED)] for copy in copies]
    assert server.mechanism.arrive(server.call(1)).do is Do.EXECUTE


def test_high_water_filter_knows_what_it_has_and_what_it_executes() -> None:
    server = Server("at-most-once", "high-water-filter")
    server.run(1, value=7, first=1)
    server.run(3, first=1)
    assert cached(server, 1) == 7
    waiter = server.call(5, first=1)
    assert server.mechanism.arrive(waiter).do is Do.EXECUTE
    assert server.arrive(6, first=1)[0] is Do.EXECUTE
    assert server.arrive(5, first=1)[0] is Do.WAIT
    assert server.arrive(4, first=1) == (Do.ANSWER, Status.STALE)


def test_forgets_too_early_forgets_nothing_that_it_did_not_keep() -> None:
    server = Server("at-most-once", "forgets-too-early")
    waiter = server.call(1)
    server.mechanism.arrive(waiter)
    server.arrive(3, first=3)
    assert server.mechanism.complete(waiter, 1) == [(waiter, Status.EXECUTED)]
    assert server.trims == [(CLIENT, 1), (CLIENT, 3)]


def test_newest_answer_only_has_no_other() -> None:
    server = Server("at-most-once", "newest-answer-only")
    server.run(1, value=7, first=1)
    server.run(2, value=8, first=1)
    assert cached(server, 2) == 8
    assert server.arrive(1, first=1)[0] is Do.EXECUTE


def test_answer_of_another_operation_is_the_newest_one() -> None:
    server = Server("at-most-once", "answer-of-another-operation")
    for seq in (1, 3, 2):
        server.run(seq, value=10 * seq, first=1)
    assert [cached(server, seq) for seq in (1, 2, 3)] == [30, 30, 30]
    assert server.arrive(4, first=1)[0] is Do.EXECUTE


def test_answer_of_another_client_is_the_first_ones_that_has_it() -> None:
    server = Server("at-most-once", "answer-of-another-client")
    server.run(2, value=8, first=1, client=CLIENT)
    server.run(1, value=5, first=1, client=CLIENT + 1)
    server.run(2, value=9, first=1, client=CLIENT + 1)
    assert cached(server, 2, CLIENT + 1) == cached(server, 2) == 8
    assert cached(server, 1, CLIENT + 1) == 5
    assert server.arrive(1, first=1)[0] is Do.EXECUTE


def test_no_join_executes_a_copy_beside_the_first_and_answers_each() -> None:
    server = Server("at-most-once", "no-join")
    first, second = server.call(1), server.call(1)
    assert [server.mechanism.arrive(each).do for each in (first, second)] == [Do.EXECUTE, Do.EXECUTE]
    assert server.mechanism.complete(first, 1) == [(first, Status.EXECUTED)]
    assert server.mechanism.complete(second, 2) == [(second, Status.EXECUTED)]
    assert cached(server, 1) == 2


def joined(variant: str) -> tuple[Server, list[Waiter], list[tuple[Waiter, Status]]]:
    """Three attempts of one operation, each from a place of its own, behind another operation's from another."""
    server = Server("at-most-once", variant)
    earlier = server.call(1, first=1)._replace(peer="earlier")
    assert server.mechanism.arrive(earlier).do is Do.EXECUTE
    waiters = [server.call(2, first=1)._replace(peer=peer) for peer in ("a", "b", "c")]
    for waiter in waiters:
        server.mechanism.arrive(waiter)
    return server, waiters, server.mechanism.complete(waiters[0], 1)


def test_join_answers_newest_answers_the_last_alone() -> None:
    _, (_, _, last), answered = joined("join-answers-newest")
    assert answered == [(last, Status.JOINED)]


def test_join_answers_elsewhere_where_the_first_call_of_all_came_from() -> None:
    _, (first, *others), answered = joined("join-answers-elsewhere")
    assert answered == [
        (first, Status.EXECUTED),
        *((other._replace(peer="earlier"), Status.JOINED) for other in others),
    ]


def test_hello_resets_forgets_results_and_mark_but_not_what_is_executed() -> None:
    server = Server("at-most-once", "hello-resets")
    server.run(1, first=1)
    server.run(2, first=2)
    executing = server.call(3, first=2)
    server.mechanism.arrive(executing)
    server.mechanism.hello(CLIENT)
    assert server.arrive(3, first=1)[0] is Do.WAIT
    assert server.arrive(2, first=1)[0] is Do.EXECUTE
    assert server.arrive(1, first=1)[0] is Do.EXECUTE
    assert len(server.mechanism.complete(executing, 1)) == 2


def test_hello_not_durable_keeps_every_record_but_a_hellos() -> None:
    server = Server("exactly-once", "hello-not-durable")
    records = [server.mechanism.record(CallHeader(CLIENT, seq, 1, seq, 0, 0), 7) for seq in (0, 1)]
    assert records[0] is None
    assert records[1] is not None
    assert (records[1].seq, records[1].result) == (1, 7)


def test_trim_mark_forgotten_executes_again_what_was_forgotten_before() -> None:
    records = [ReplyRecord(CLIENT, 4, 3, 44)]
    assert Server("exactly-once", records=records).arrive(2, first=2) == (Do.ANSWER, Status.STALE)
    forgetful = Server("exactly-once", "trim-mark-forgotten", records)
    assert forgetful.arrive(2, first=2)[0] is Do.EXECUTE
    assert cached(forgetful, 4) == 44
