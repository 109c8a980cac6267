"""What a relay's fault names, it meets while it is on; one by chance, about as many as it says."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count
from typing import Any

import pytest

from chaos import decide as deciding
from chaos.decisions import PASSED, Decided
from chaos.identity import Chunk, Key
from nodes.wire.record import Kind
from orchestrator.checkers.gate.let_through import (
    Switched,
    Tally,
    chance_strikes_as_often_as_said,
    faults_let_nothing_through,
)
from orchestrator.checkers.views import Views
from orchestrator.explore.attempt import recorded
from orchestrator.history.clocks import Clock
from orchestrator.history.index import Index
from orchestrator.history.merged import History
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: let-through
nodes:
  server: {{service: counter}}
  client: {{workload: add, calls: 30, clients: 2}}
links:
  - {{from: client, to: server, semantics: exactly-once, transport: udp}}
faults:
  - {}
expect:
  valid: holds
"""
PARTITION = "{partition: request, link: client -> server, when: client end 10, lasts: 300ms}"
CHANCE = "{drop: reply, link: client -> server, probability: 0.5}"
ALL = "{drop: request, link: client -> server, probability: 1.0}"
EVERY = "{drop: reply, link: client -> server, every: 5}"


def of(fault: str) -> Cell:
    return expand(SCENARIO.format(fault), "f.yaml").cells[0]


def told(cell: Cell, history: History | None = None) -> list[str]:
    setting = Views(cell, Index(recorded(cell) if history is None else history))
    return [*faults_let_nothing_through(setting), *chance_strikes_as_often_as_said(setting)]


@pytest.mark.parametrize("fault", [PARTITION, CHANCE, ALL, EVERY])
def test_of_what_faults_did_nothing_is_told(fault: str) -> None:
    assert told(of(fault)) == []


@pytest.mark.parametrize(
    ("fault", "verb", "direction"), [(PARTITION, "partition", "request"), (EVERY, "drop", "reply")]
)
def test_what_went_on_as_if_no_fault_spoke_of_it(
    fault: str, verb: str, direction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second one, be it of a call to which nothing else happened, or not."""
    decide, turn = deciding.decide, count()

    def forgetful(seed: int, rules: Sequence[Any], key: Key | Chunk, active: Collection[int]) -> Decided:
        decided = decide(seed, rules, key, active)
        return PASSED if decided.rule is not None and next(turn) % 2 else decided

    monkeypatch.setattr(deciding, "decide", forgetful)
    [line] = told(of(fault))
    assert f": its {direction} was not met by fault 1 ({verb}), which was on and names it, and " in line


def test_by_other_clocks_only_what_the_relay_itself_says_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a sending was before the switching of a rule, nobody knows for sure."""
    monkeypatch.setattr(deciding, "decide", lambda *_: PASSED)
    cell = of(PARTITION)
    history = recorded(cell)
    assert len(told(cell, history)) == 1
    assert told(cell, history._replace(clocks=(Clock("elsewhere", 0, 9, "agent"),))) == []


def test_what_a_later_fault_met_an_earlier_one_should_have() -> None:
    cell = of(f"{EVERY}\n  - {{drop: reply, link: client -> server}}")
    history = recorded(cell)
    turned = [
        event._replace(detail={**event.detail, "rule": 1})
        if event.kind is Kind.DECISION and event.detail["rule"] == 0
        else event
        for event in history.events
    ]
    [line] = faults_let_nothing_through(Views(cell, Index(history._replace(events=tuple(turned)))))
    assert "not met by fault 1 (drop)" in line


def test_chance_that_strikes_half_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "share", lambda *_: 0.7)
    [line] = told(of(CHANCE.replace("0.5", "0.6")))
    assert line.startswith("fault 1 (drop) met 0 of ")
    assert line.endswith(" messages that it names; its probability is 0.6")
    monkeypatch.setattr(deciding, "share", lambda *_: 0.0)
    assert told(of(CHANCE.replace("0.5", "0.1")))[0].startswith("fault 1 (drop) met ")


def test_what_an_older_version_recorded_is_not_looked_at() -> None:
    cell = of(EVERY)
    history = recorded(cell)
    passed = [event._replace(detail={**event.detail, "rule": None}) for event in history.events]
    altered = history._replace(events=tuple(passed))
    assert told(cell, altered) != []
    assert told(cell, altered._replace(plan="")) == []


@pytest.mark.parametrize(
    ("met", "of", "share", "odd"),
    [
        (15, 38, 1.0, True),
        (38, 38, 1.0, False),
        (20, 40, 0.5, False),
        (8, 40, 0.5, False),
        (0, 40, 0.5, True),
        (40, 40, 0.5, True),
        (5, 5, 0.01, True),
        (4, 4, 0.01, False),
        (0, 0, 0.5, False),
        (0, 1, 1.0, True),
    ],
)
def test_how_unlikely_is_too_unlikely(met: int, of: int, share: float, odd: bool) -> None:
    tally = Tally()
    tally._met, tally._surely, tally._perhaps = met, of, of
    assert bool(tally.against(share)) is odd


def test_messages_that_came_perhaps_before_it_was_on_are_counted_in_its_favour() -> None:
    tally = Tally()
    tally._met, tally._surely, tally._perhaps = 5, 5, 500
    assert tally.against(0.01) == ""
    tally._met, tally._surely, tally._perhaps = 10, 20, 90
    assert tally.against(0.5) == ""


def test_a_rule_is_on_from_its_switching_to_the_next() -> None:
    late, early = Switched([10, 20], begins_on=False), Switched([10, 20], begins_on=True)
    spans = [(1, 9), (9, 11), (11, 19), (15, 25), (21, 30), (5, 25)]
    assert [late.on(*span) for span in spans] == [False, False, True, False, False, False]
    assert [late.on_once(*span) for span in spans] == [False, True, True, True, False, True]
    assert [early.on(*span) for span in spans] == [True, False, False, False, True, False]
    assert [early.on_once(*span) for span in spans] == [True, True, False, True, True, True]
