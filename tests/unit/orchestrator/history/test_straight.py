"""An operation to which nothing happened, and each single thing that can have happened to one."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import CLIENT, Run

from nodes.wire.record import Kind
from orchestrator.history.index import Index
from orchestrator.history.merged import Event
from orchestrator.history.straight import straight
from orchestrator.history.trace import Trace

COURSE = ("attempts", "sends", "receives", "executes", "commits", "answers", "replies")
BY_THE_SERVER = ("executes", "commits", "effects", "answers")


def made(f: str = "add") -> Trace:
    run = Run(f).invoke(1).send(1, first=1).decide("request", 1).receive(1).execute(1)
    if f == "add":
        run.commit(1)
    run.answer(1, 1, 1).decide("reply", 1).reply(1, 1, 1).ok(1, 1)
    return Index(run.history()).traces[CLIENT, 1]


def changed(trace: Trace, name: str, place: int = 0, /, **changes: Any) -> Trace:
    """One of its events with other fields, or other entries of its detail."""
    found = getattr(trace, name)
    event = found[place] if isinstance(found, list) else found
    own = {key: value for key, value in changes.items() if key in Event._fields}
    rest = {key: value for key, value in changes.items() if key not in own}
    event = event._replace(detail={**event.detail, **rest}, **own)
    if isinstance(found, list):
        found[place] = event
    else:
        setattr(trace, name, event)
    return trace


@pytest.mark.parametrize("f", ["add", "read"])
def test_nothing_happened(f: str) -> None:
    assert straight(made(f))


def test_nobody_stood_between() -> None:
    trace = made()
    trace.decisions.clear()
    assert straight(trace)


@pytest.mark.parametrize("name", [*COURSE, "effects"])
def test_each_event_is_there_once(name: str) -> None:
    trace = made()
    getattr(trace, name).clear()
    assert not straight(trace)
    trace = made()
    getattr(trace, name).append(getattr(trace, name)[0])
    assert not straight(trace)


@pytest.mark.parametrize("name", ["ends", "unconnected", "releases", "further"])
def test_nothing_else_is_there(name: str) -> None:
    trace = made()
    getattr(trace, name).append(trace.sends[0])
    assert not straight(trace)


@pytest.mark.parametrize("name", ["invoke", "completion"])
def test_it_begins_and_ends(name: str) -> None:
    trace = made()
    setattr(trace, name, None)
    assert not straight(trace)


@pytest.mark.parametrize("decided", [0, 1])
def test_a_hop_passes_both_messages(decided: int) -> None:
    trace = made()
    del trace.decisions[decided]
    assert not straight(trace)


@pytest.mark.parametrize("change", [{"act": "hold"}, {"rule": 0}, {"link": "other"}, {"direction": "other"}], ids=str)
@pytest.mark.parametrize("decided", [0, 1])
def test_a_hop_passes_them_on_their_link(decided: int, change: dict[str, Any]) -> None:
    assert not straight(changed(made(), "decisions", decided, **change))


@pytest.mark.parametrize("name", [*COURSE, "effects"])
def test_it_is_all_of_the_first_attempt(name: str) -> None:
    assert not straight(changed(made(), name, attempt=2))


@pytest.mark.parametrize("change", [{"epoch": 9}, {"node": "other"}], ids=str)
@pytest.mark.parametrize("name", BY_THE_SERVER)
def test_it_is_all_done_by_the_process_that_received_it(name: str, change: dict[str, Any]) -> None:
    assert not straight(changed(made(), name, **change))


@pytest.mark.parametrize(("name", "place"), [*((name, 0) for name in COURSE), ("decisions", 0), ("decisions", 1)])
def test_the_order_is_that_of_a_call(name: str, place: int) -> None:
    trace = made()
    assert trace.invoke is not None
    assert trace.completion is not None
    for early in (trace.invoke.order, trace.invoke.order - 1):
        assert not straight(changed(made(), name, place, order=early))
    for late in (trace.completion.order, trace.completion.order + 1):
        assert not straight(changed(made(), name, place, order=late))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("completion", {"kind": Kind.INFO}),
        ("completion", {"value": 2}),
        ("sends", {"first": 2}),
        ("sends", {"server": 9}),
        ("executes", {"value": 2}),
        ("answers", {"status": 1}),
        ("answers", {"value": 2}),
        ("replies", {"status": 1}),
        ("replies", {"value": 2}),
        ("commits", {"result": 2}),
        ("commits", {"n": 9}),
        ("effects", {"result": 2}),
        ("effects", {"n": 9}),
        ("effects", {"intent": 9}),
    ],
    ids=str,
)
def test_all_say_the_same(name: str, change: dict[str, Any]) -> None:
    assert not straight(changed(made(), name, **change))


@pytest.mark.parametrize("other", [1, 2])
def test_both_ends_say_that_it_was_executed(other: int) -> None:
    assert not straight(changed(changed(made(), "answers", status=other), "replies", status=other))


def test_a_send_says_which_is_the_first_incomplete() -> None:
    """Journals of older versions do not tell it."""
    trace = made()
    del trace.sends[0].detail["first"]
    del trace.receives[0].detail["first"]
    assert not straight(trace)
