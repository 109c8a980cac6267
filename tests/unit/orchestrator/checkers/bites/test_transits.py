"""One message on its way: when it was, whether it came, how late; and which messages an operation had."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, MILLISECOND, Run, cell

from orchestrator.checkers.bites.transits import Transit, delayed, openings, transits
from orchestrator.checkers.failures import failures
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index, Window

EVENTS = Index(Run().call(1).history()).events
BEGIN, END = 4, 8


def transit(sent: int, received: int | None, given_up: int) -> Transit:
    return Transit("request", EVENTS[sent], None if received is None else EVENTS[received], given_up)


@pytest.mark.parametrize(
    ("sent", "received", "given_up", "within"),
    [
        (5, 6, 9, True),
        (3, 5, 9, True),
        (3, None, 9, True),
        (3, 4, 9, False),
        (3, 9, 4, False),
        (3, 9, 5, True),
        (7, 9, 9, True),
        (8, 9, 9, False),
        (9, None, 10, False),
    ],
)
def test_whether_it_was_on_its_way_and_waited_for_in_a_window(
    sent: int, received: int | None, given_up: int, within: bool
) -> None:
    assert [event.order for event in EVENTS] == [*range(len(EVENTS))]
    assert transit(sent, received, given_up).within(Window(BEGIN, END)) is within


def test_it_is_lost_if_it_never_came_to_somebody_who_waited() -> None:
    assert transit(3, None, 4).lost
    assert not transit(3, None, 3).lost
    assert not transit(3, 4, 9).lost


@pytest.mark.parametrize(("took", "asked", "late"), [(5, 10, True), (4, 10, False), (1, 1, True), (0.9, 1, False)])
def test_half_of_what_was_asked_is_late_if_it_is_more_than_noise(took: float, asked: float, late: bool) -> None:
    first, *_, then = Index(Run().invoke(1).wait(took - 0.001).send(1).history()).events[4:8]
    sent, came = then, then._replace(time=then.time + int(took * MILLISECOND))
    assert delayed(sent, came, asked * MILLISECOND) is late
    assert Transit("reply", sent, came, 99).late(asked * MILLISECOND) is late
    assert not Transit("reply", sent, None, 99).late(0)
    assert first.order < then.order


def found(run: Run) -> list[tuple[str, int, bool]]:
    """(direction, attempt, whether it came) of each message of operation 1."""
    setting = Setting(cell(), Index(run.history()))
    trace = setting.index.traces[CLIENT, 1]
    return [(one.direction, one.sent.attempt, one.received is not None) for one in transits(setting, trace)]


def test_messages_of_an_operation_are_told_apart_by_attempt_and_order() -> None:
    run = Run().invoke(1).send(1).send(1, 2).receive(1, 2).execute(1, 2).commit(1, 2).answer(1, 2, 1).reply(1, 2, 1)
    assert found(run.ok(1, 1).healed(2)) == [("request", 1, False), ("request", 2, True), ("reply", 2, True)]


def test_what_a_dead_server_explains_is_not_among_them() -> None:
    run = Run().invoke(1).send(1).receive(1).execute(1).failpoint("before-commit", 1).send(1, 2).end(1, 2)
    run.serve().send(1, 3).run(1, 3).reply(1, 3, 1).ok(1, 1)
    assert found(run.healed(2)) == [("request", 1, True), ("request", 3, True), ("reply", 3, True)]


def test_what_was_the_last_to_come_before_it_died_came() -> None:
    run = Run().invoke(1).send(1).receive(1).reap(9).end(1).serve().send(1, 2).run(1, 2).reply(1, 2, 1).ok(1, 1)
    assert found(run.healed(2)) == [("request", 1, True), ("request", 2, True), ("reply", 2, True)]


def test_connections_that_failed_and_how_long_each_took_to_open() -> None:
    run = Run().invoke(1).unconnected(1).send(1, 2).end(1, 2).send(1, 3).end(1, 3, error="timeout")
    run.send(1, 4).run(1, 4).reply(1, 4, 1).ok(1, 1).healed(2)
    setting = Setting(cell(), Index(run.history()))
    trace = setting.index.traces[CLIENT, 1]
    assert [(event.kind.name, event.attempt) for event in failures(setting, trace)] == [("END", 2), ("UNCONNECTED", 1)]
    assert [(begun.attempt, sent.attempt) for begun, sent in openings(trace)] == [(2, 2), (3, 3), (4, 4)]
