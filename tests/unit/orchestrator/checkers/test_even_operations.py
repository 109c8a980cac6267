"""Nothing is lost by not looking at operations that nothing happened to: whatever is altered in a history, judging it
comes to what it comes to when every operation is looked at."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import altering
import pytest
import suite
from suite import Ran

from nodes.wire.record import Kind
from orchestrator.checkers.caps import doubt
from orchestrator.checkers.expect import judge
from orchestrator.checkers.setting import Setting
from orchestrator.checkers.verdict import Judgement
from orchestrator.checkers.views import Views
from orchestrator.history.clocks import Clock
from orchestrator.history.file import dump
from orchestrator.history.file import load as load_history
from orchestrator.history.index import Index
from orchestrator.history.merged import Event
from orchestrator.history.stored import Stored

RUNS = (
    "rpc/02-reply-lost",
    "rpc/06-reordered",
    "rpc/09-crash-after-commit",
    "faults/delay",
    "properties/read-after-restart",
)
ALTERATIONS, UNHELD = 60, 30


@cache
def recorded() -> list[Ran]:
    """The last cell of each, as it was simulated."""
    return suite.run(list(map(suite.last, RUNS)), "sim")


def altered(events: tuple[Event, ...], dice: random.Random) -> tuple[Event, ...]:
    """One event of an operation is altered, or elsewhere, or both."""
    found = list(events)
    place = dice.choice([event.order for event in events if event.client])
    if dice.random() < 0.5:
        event = found.pop(place)
        place = max(0, min(len(found), place + dice.choice([-9, -3, -1, 1, 3, 9])))
        found.insert(place, event)
        if dice.random() < 0.3:
            return tuple(each._replace(order=order) for order, each in enumerate(found))
    return altering.altered(found, place, dice)[1]


def told(judgement: Judgement) -> Any:
    """All but which of several wrong operations is shown first. Where the gate itself cannot cope, all else is void."""
    if any("crashed" in problem for problem in judgement.gate):
        return "a checker crashed"
    properties = [(each.name, each.verdict, each.counts) for each in judgement.properties]
    expectations = [(each.name, each.verdict) for each in judgement.expectations]
    rest = (judgement.bitten, judgement.missed, judgement.caught, judgement.late, judgement.others, judgement.outcomes)
    return sorted(judgement.gate), properties, expectations, judgement.opportunities, judgement.faults, rest


@pytest.mark.parametrize("run", range(len(RUNS)), ids=RUNS)
def test_what_is_not_looked_at_would_have_shown_nothing(run: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, history = recorded()[run].result.cell, recorded()[run].history
    assert isinstance(history.events, tuple)
    for dice in map(random.Random, range(ALTERATIONS)):
        other = history._replace(events=altered(history.events, dice))
        quick = told(judge(cell, other, history.plan))
        with monkeypatch.context() as looked_at:
            looked_at.setattr(Setting, "_even", lambda *_: False)
            assert told(judge(cell, other, history.plan)) == quick


@pytest.mark.parametrize("run", range(len(RUNS)), ids=RUNS)
def test_nor_does_it_matter_whether_it_is_held(run: int) -> None:
    cell, history = recorded()[run].result.cell, recorded()[run].history
    assert isinstance(history.events, tuple)
    for dice in map(random.Random, range(UNHELD)):
        other = history._replace(events=altered(history.events, dice))
        unheld = load_history(dump(other), whole=0)
        assert isinstance(unheld.events, Stored)
        assert judge(cell, unheld) == judge(cell, other)


def test_most_operations_of_a_run_are_not_looked_at() -> None:
    ran = recorded()[0]
    setting = Views(ran.result.cell, Index(ran.history), ran.history.plan)
    assert setting.even.total() > len(setting.odd) > 0


def test_of_those_that_lost_their_reply_one_of_each_client_is_looked_at() -> None:
    ran = recorded()[0]
    setting = Views(ran.result.cell, Index(ran.history), ran.history.plan)
    assert [len(alike) for alike in setting.alike.values()] == [1, 1]
    assert setting.alike.keys() == setting.odd.keys()
    assert setting.bite.bitten == setting.with_alike(setting.odd) > setting.odd.keys()


@pytest.mark.parametrize("all_odd", [False, True])
def test_a_call_that_may_have_come_before_heal_was_tried(all_odd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients are on a host of their own, and heal seems to have come before their first call. What
    follows on a reply is known to be behind it."""
    monkeypatch.setattr(Setting, "_even", Setting._even if not all_odd else lambda *_: False)
    cell, history = recorded()[0].result.cell, recorded()[0].history
    heal = next(event for event in history.events if event.detail.get("phase") == "heal")
    events = [event for event in history.events if event is not heal]
    first = next(place for place, event in enumerate(events) if event.kind is Kind.INVOKE)
    events.insert(first, heal._replace(time=events[first].time - 1))
    moved = [event._replace(domain="other") if event.node == "client" else event for event in events]
    clocks = (Clock("other", 0, 3600 * 10**9, "agent"),)
    other = history._replace(events=tuple(e._replace(order=n) for n, e in enumerate(moved)), clocks=clocks)
    said = "6 of 8 calls that were to come before heal were not invoked by then"
    assert doubt(Setting(cell, Index(other))).startswith(said)
