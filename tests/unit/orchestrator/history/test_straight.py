"""An operation to which nothing happened, and each single thing that can have happened to one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from history_builder import CLIENT, Run

from nodes.wire.record import Kind
from orchestrator.history.merged import Event
from orchestrator.history.straight import course
from orchestrator.history.trace import by_operation

KINDS = (
    Kind.INVOKE,
    Kind.ATTEMPT,
    Kind.SEND,
    Kind.DECISION,
    Kind.RECEIVE,
    Kind.EXECUTE,
    Kind.COMMIT,
    Kind.ANSWER,
    Kind.DECISION,
    Kind.REPLY,
    Kind.OK,
)
ASKED, TOLD = 3, 8
"""The places of the hop's decisions."""
OF_THE_CLIENT = (Kind.INVOKE, Kind.ATTEMPT, Kind.SEND, Kind.REPLY, Kind.OK)


def made(f: str = "add") -> list[Event]:
    """With its row, if it has one, in the end."""
    run = Run(f).invoke(1).send(1, first=1, wait=1).decide("request", 1).receive(1, first=1).execute(1)
    if f == "add":
        run.commit(1)
    run.answer(1, 1, 1, connection=1).decide("reply", 1).reply(1, 1, 1).ok(1, 1)
    return by_operation(event for event in run.history().events if event.client)[CLIENT, 1]


def straight(events: Sequence[Event]) -> bool:
    rows = [event for event in events if event.kind is Kind.EFFECT]
    found = course([event for event in events if event.kind is not Kind.EFFECT])
    return found is not None and (not found.has_effect or any(found.wrote(row) for row in rows))


def changed(events: list[Event], which: Kind | int, /, **changes: Any) -> list[Event]:
    """One of them with other fields, or other entries of its detail."""
    place = which if not isinstance(which, Kind) else next(n for n, event in enumerate(events) if event.kind is which)
    event = events[place]
    own = {key: value for key, value in changes.items() if key in Event._fields}
    rest = {key: value for key, value in changes.items() if key not in own}
    other = event._replace(detail={**event.detail, **rest}, **own)
    return [*events[:place], other, *events[place + 1 :]]


def without(events: list[Event], which: Kind, key: str) -> list[Event]:
    return [
        event._replace(detail={name: value for name, value in event.detail.items() if name != key})
        if event.kind is which
        else event
        for event in events
    ]


@pytest.mark.parametrize("f", ["add", "read"])
def test_nothing_happened(f: str) -> None:
    assert straight(made(f))


def test_nobody_stood_between() -> None:
    assert straight([event for event in made() if event.kind is not Kind.DECISION])


def test_it_is_told_how_it_went() -> None:
    events = made()
    found = course(events[:-1])
    assert found is not None
    assert [events[n].order for n in (0, 2, 4, 10)] == [found.invoked, found.sent, found.received, found.completed]
    assert (found.first, found.asked, found.number, found.result) == (1, ("add", 1), 1, 1)
    assert tuple(found.place) == ("client", 1, "server", 1, "client -> server", "relay", 0)
    assert (found.row, found.wrote(events[-1])) == (0, True)


@pytest.mark.parametrize("place", range(len(KINDS) + 1))
def test_each_event_is_there_once(place: int) -> None:
    events = made()
    assert not straight([*events[:place], *events[place + 1 :]])
    if place < len(KINDS):
        assert not straight([*events[: place + 1], *events[place:]])


def test_there_are_events() -> None:
    assert course([]) is None


@pytest.mark.parametrize("kind", [Kind.END, Kind.UNCONNECTED, Kind.RELEASE, Kind.INVOKE, Kind.OK])
@pytest.mark.parametrize("place", [1, 5, 10])
def test_nothing_else_is_there(kind: Kind, place: int) -> None:
    events = made()
    assert not straight([*events[:place], events[2]._replace(kind=kind), *events[place:]])


@pytest.mark.parametrize("kind", [Kind.INFO, Kind.FAIL])
def test_it_ends_ok(kind: Kind) -> None:
    assert not straight(changed(made(), Kind.OK, kind=kind))


@pytest.mark.parametrize("place", range(len(KINDS) - 1))
def test_the_order_is_that_of_a_call(place: int) -> None:
    events = made()
    events[place : place + 2] = [events[place + 1], events[place]]
    assert not straight(events) or events[place].kind is events[place + 1].kind


@pytest.mark.parametrize(
    "change",
    [{"act": "hold"}, {"rule": 0}, {"link": "other"}, {"direction": "other"}, {"occurrence": 2}, {"node": "other"}],
    ids=str,
)
@pytest.mark.parametrize("decided", [ASKED, TOLD])
def test_a_hop_passes_them_once_on_their_link(decided: int, change: dict[str, Any]) -> None:
    assert not straight(changed(made(), decided, **change))


def test_a_decision_says_that_there_was_no_rule() -> None:
    assert not straight(without(made(), Kind.DECISION, "rule"))


@pytest.mark.parametrize("place", range(len(KINDS) + 1))
def test_each_has_the_number_of_its_attempt(place: int) -> None:
    assert not straight(changed(made(), place, attempt=2))


@pytest.mark.parametrize("place", range(len(KINDS) + 1))
def test_each_is_of_its_process(place: int) -> None:
    assert not straight(changed(made(), place, process=2))


@pytest.mark.parametrize("kind", OF_THE_CLIENT)
def test_one_client_process_makes_it(kind: Kind) -> None:
    assert not straight(changed(made(), kind, node="other"))


@pytest.mark.parametrize("change", [{"epoch": 9}, {"node": "other"}], ids=str)
@pytest.mark.parametrize("kind", [Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER, Kind.EFFECT])
def test_it_is_all_done_by_the_process_that_received_it(kind: Kind, change: dict[str, Any]) -> None:
    assert not straight(changed(made(), kind, **change))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Kind.OK, {"value": 2}),
        (Kind.SEND, {"first": 2}),
        (Kind.SEND, {"server": 9}),
        (Kind.SEND, {"connection": 9}),
        (Kind.EXECUTE, {"value": 2}),
        (Kind.ANSWER, {"status": 1}),
        (Kind.ANSWER, {"value": 2}),
        (Kind.ANSWER, {"connection": 9}),
        (Kind.REPLY, {"status": 1}),
        (Kind.REPLY, {"value": 2}),
        (Kind.REPLY, {"connection": 9}),
        (Kind.COMMIT, {"result": 2}),
        (Kind.COMMIT, {"n": 9}),
        (Kind.EFFECT, {"result": 2}),
        (Kind.EFFECT, {"n": 9}),
        (Kind.EFFECT, {"intent": 9}),
    ],
    ids=str,
)
def test_all_say_the_same(kind: Kind, change: dict[str, Any]) -> None:
    assert not straight(changed(made(), kind, **change))


@pytest.mark.parametrize("other", [1, 2])
def test_both_ends_say_that_it_was_executed(other: int) -> None:
    assert not straight(changed(changed(made(), Kind.ANSWER, status=other), Kind.REPLY, status=other))


@pytest.mark.parametrize("f", ["add", "read"])
def test_what_has_an_effect_was_committed(f: str) -> None:
    other = "read" if f == "add" else "add"
    assert not straight(changed(changed(made(f), Kind.INVOKE, f=other), Kind.EXECUTE, f=other))


def test_a_commit_has_a_number() -> None:
    assert not straight(changed(made(), Kind.COMMIT, n=None))


def test_a_row_says_its_epoch_and_its_ledger() -> None:
    events = made()
    for key in ("epoch", "ledger"):
        assert not straight(without(events, Kind.EFFECT, key))


@pytest.mark.parametrize("wait", [None, True, "x", []])
def test_it_would_have_waited_for_some_time(wait: object) -> None:
    assert not straight(changed(made(), Kind.ATTEMPT, wait=wait))


@pytest.mark.parametrize(("kind", "key"), [(Kind.ATTEMPT, "wait"), (Kind.SEND, "first"), (Kind.RECEIVE, "first")])
def test_journals_of_older_versions_do_not_tell_all(kind: Kind, key: str) -> None:
    assert not straight(without(made(), kind, key))


def test_nor_do_both_ends() -> None:
    assert not straight(without(without(made(), Kind.SEND, "first"), Kind.RECEIVE, "first"))
