"""An operation that lost its first reply and was answered again, and each single thing that can be otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from history_builder import CLIENT, Run

from nodes.wire.header import Status
from nodes.wire.record import Kind
from orchestrator.history.merged import Event
from orchestrator.history.repeated import Alone, alone_of, repeated
from orchestrator.history.straight import Lost, course
from orchestrator.history.trace import by_operation

AGAIN = 2
"""The line of the repeat."""


def made(left: bool = True, f: str = "add") -> list[Event]:
    """With its row in the end."""
    run = Run(f).invoke(1).send(1, first=1, wait=1).decide("request", 1).receive(1, first=1).execute(1).commit(1)
    run.answer(1, 1, 1, connection=1).decide("reply", 1, act="drop", rule=3)
    line = AGAIN if left else 1
    if left:
        run.end(1, error="timeout")
    run.send(1, 2, first=1, wait=2, connection=line).decide("request", 1, 2).receive(1, 2, first=1)
    run.answer(1, 2, 1, Status.CACHED, connection=1).decide("reply", 1, 2)
    said = {"status": int(Status.CACHED), "value": 1, "connection": line}
    run.note("client", 1, Kind.REPLY, CLIENT, 1, 2, **said).ok(1, 1)
    return by_operation(event for event in run.history().events if event.client)[CLIENT, 1]


def changed(events: list[Event], place: int, /, **changes: Any) -> list[Event]:
    """One of them with other fields, or other entries of its detail, or without those that are to be None."""
    event = events[place]
    own = {key: value for key, value in changes.items() if key in Event._fields}
    detail = {**event.detail, **{key: value for key, value in changes.items() if key not in own}}
    kept = {key: value for key, value in detail.items() if value is not None or key not in changes}
    other = event._replace(detail=kept, **own)
    return [*events[:place], other, *events[place + 1 :]]


def is_one(events: Sequence[Event]) -> bool:
    found = repeated([event for event in events if event.kind is not Kind.EFFECT])
    return found is not None and any(found.wrote(event) for event in events if event.kind is Kind.EFFECT)


@pytest.mark.parametrize("left", [True, False])
def test_it_is_told_how_it_went(left: bool) -> None:
    events = made(left)
    found = repeated(events[:-1])
    assert found is not None
    assert course(events[:-1]) is None
    second = 12 + left
    orders = [events[n].order for n in (0, 2, 4, second, -2)]
    assert orders == [found.invoked, found.sent, found.received, found.again, found.completed]
    assert events[second].kind is Kind.RECEIVE
    assert (found.first, found.asked, found.number, found.result) == (1, ("add", 1), 1, 1)
    assert found.lost == Lost(3, left)
    assert tuple(found.place) == ("client", 1, "server", 1, "client -> server", "relay", 0)
    assert (found.row, found.wrote(events[-1])) == (0, True)


@pytest.mark.parametrize("left", [True, False])
def test_each_event_is_there_once_and_in_this_order(left: bool) -> None:
    events = made(left)
    for place in range(len(events) - 1):
        if not (left and events[place].kind is Kind.END):
            assert not is_one([*events[:place], *events[place + 1 :]])
        assert not is_one([*events[: place + 1], *events[place:]])
        swapped = [*events[:place], events[place + 1], events[place], *events[place + 2 :]]
        assert place + 1 == len(events) - 1 or not is_one(swapped)


def test_who_takes_another_line_has_left_the_first() -> None:
    assert not is_one([event for event in made() if event.kind is not Kind.END])
    assert not is_one(changed(made(left=False), 10, connection=AGAIN))


@pytest.mark.parametrize("left", [True, False])
def test_each_has_the_attempt_the_process_and_the_place_that_it_is_to_have(left: bool) -> None:
    events = made(left)
    for place in range(len(events)):
        for change in ({"attempt": 3}, {"process": 2}, {"node": "other"}):
            assert not is_one(changed(events, place, **change)), (place, change)
        by_server = events[place].node == "server"
        assert is_one(changed(events, place, epoch=9)) is not by_server


MESSAGE = ({"link": "other"}, {"direction": "other"}, {"occurrence": 2}, {"act": "hold"}, {"rule": "x"})
SENT = ({"connection": 9}, {"connection": None}, {"server": 9}, {"first": 2}, {"first": None})
SAID = ({"status": 5}, {"value": 2}, {"value": None}, {"connection": 9})
DETAILS: dict[int, tuple[dict[str, Any], ...]] = {
    0: ({"f": "read"}, {"value": 2}, {"intent": 9}),
    1: ({"wait": None}, {"wait": "long"}),
    2: SENT,
    3: MESSAGE,
    4: (*SENT, {"link": "other"}),
    5: ({"f": "read"}, {"value": 2}, {"intent": 9}),
    6: ({"n": None}, {"n": 9}, {"result": 2}),
    7: SAID,
    8: (*MESSAGE, {"rule": None}, {"act": "pass"}),
    9: ({"error": "end of file"}, {"connection": 9}),
    10: ({"wait": None},),
    11: SENT,
    12: MESSAGE,
    13: (*SENT, {"link": "other"}),
    14: SAID,
    15: MESSAGE,
    16: SAID,
    17: ({"value": 2}, {"value": None}),
    18: ({"n": 9}, {"result": 2}, {"intent": 9}),
}


@pytest.mark.parametrize("place", DETAILS)
def test_all_say_the_same(place: int) -> None:
    assert is_one(made())
    for change in DETAILS[place]:
        assert not is_one(changed(made(), place, **change)), change


def test_only_what_has_an_effect_is_answered_from_a_record() -> None:
    assert not is_one(made(f="read"))


def test_the_repeat_was_answered_from_the_record() -> None:
    again = changed(changed(made(), 14, status=int(Status.JOINED)), 16, status=int(Status.JOINED))
    assert not is_one(again)


# Alone


def test_two_that_were_open_beside_one_another_were_not_alone() -> None:
    alone = Alone()
    for seq in (1, 2):
        alone.begin(CLIENT, seq)
    alone.begin(CLIENT + 100, 2)
    assert [alone.end(CLIENT, 1), alone.end(CLIENT, 2), alone.end(CLIENT + 100, 2)] == [False, False, True]
    alone.begin(CLIENT, 3)
    assert alone.end(CLIENT, 3)


def test_nor_were_several_of_which_each_met_only_some() -> None:
    alone = Alone()
    alone.begin(CLIENT, 1)
    for seq in (2, 3, 4):
        alone.begin(CLIENT, seq)
        alone.end(CLIENT, seq - 1)
    assert not alone.end(CLIENT, 4)
    alone.begin(CLIENT, 5)
    assert alone.end(CLIENT, 5)


def test_those_that_were_are_found_by_their_events() -> None:
    run = Run().invoke(1).ok(1, 1).invoke(2).invoke(3).ok(2, 1).ok(3, 1).invoke(4).ok(4, 1).invoke(5).invoke(6).ok(6, 1)
    events = by_operation(event for event in run.history().events if event.client)
    events[CLIENT, 9] = []
    assert sorted(seq for _, seq in alone_of(events)) == [1, 4]


def test_only_the_first_completion_of_an_operation_is_its_end() -> None:
    run = Run().invoke(1).invoke(2).ok(1, 1).ok(1, 1).ok(2, 1)
    assert alone_of(by_operation(event for event in run.history().events if event.client)) == set()
