"""Merging keeps each journal's order, orders by time in between, and refuses what cannot be ordered."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.wire.record import Kind, Record
from orchestrator.history.merged import HistoryError, Ledger, merge

TIMES = st.lists(st.integers(0, 20), max_size=12)


def _start(domain: str = "d", evidence: str = "real") -> Record:
    return Record(0, Kind.START, 0, 0, 0, 0, {"domain": domain, "evidence": evidence})


@settings(deadline=None, max_examples=80)
@given(st.dictionaries(st.tuples(st.sampled_from("abc"), st.integers(1, 2)), TIMES, min_size=1))
def test_merging_keeps_the_order_of_every_journal(times: dict[tuple[str, int], list[int]]) -> None:
    journals = {
        life: [_start(), *(Record(time, Kind.GATE, 0, n, 0, 0, None) for n, time in enumerate(found))]
        for life, found in times.items()
    }
    events = merge(journals).events
    assert [event.order for event in events] == list(range(len(events)))
    for (node, epoch), records in journals.items():
        own = [event for event in events if (event.node, event.epoch) == (node, epoch)]
        assert [(event.time, event.seq) for event in own] == [(record.time, record.seq) for record in records]


@settings(deadline=None, max_examples=50)
@given(st.lists(TIMES, min_size=1, max_size=4))
def test_journals_with_rising_times_are_ordered_by_time(tracks: list[list[int]]) -> None:
    journals = {
        (str(n), 1): [_start(), *(Record(time, Kind.GATE, 0, 0, 0, 0, None) for time in sorted(times))]
        for n, times in enumerate(tracks)
    }
    times = [event.time for event in merge(journals).events]
    assert times == sorted(times)


def test_an_open_invoke_is_closed_as_info_and_says_so() -> None:
    last = Run().invoke(1).send(1).history().events[-2]
    assert (last.kind, last.operation, last.detail["closed"]) == (Kind.INFO, (CLIENT, 1), True)


def test_effects_and_ledgers_come_last() -> None:
    events = Run().call(1).healed(2).history().events
    assert [event.kind for event in events[-3:]] == [Kind.EFFECT, Kind.EFFECT, Kind.LEDGER]
    assert events[-3].node == "server"
    assert events[-3].detail == {"n": 1, "intent": 101_000_001, "epoch": 1, "result": 1, "ledger": "server.71"}


def test_two_clock_domains_are_refused() -> None:
    with pytest.raises(HistoryError, match=r"more than one clock domain.*a\.1 has 'x'; b\.1 has 'y'"):
        merge({("a", 1): [_start("x")], ("b", 1): [_start("y")]})


def test_simulated_and_real_evidence_are_never_mixed() -> None:
    with pytest.raises(HistoryError, match="more than one kind of evidence"):
        merge({("a", 1): [_start(evidence="sim")], ("b", 1): [_start()]})


def test_nothing_gives_an_empty_history() -> None:
    assert merge({}).events == ()
    assert merge({}, [Ledger("l", "n", False, [], {}, 1)]).events[0].kind is Kind.LEDGER
