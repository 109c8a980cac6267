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


def test_a_ledger_is_told_row_by_row_and_whole_at_the_end() -> None:
    rows = [(1, CLIENT, 3, 1_000_003, 2, 4, "seven")]
    ledger = Ledger("server.db", "server", True, rows, {"total": 7}, 71)
    *_, effect, whole = merge({("server", 1): [_start(), Record(9, Kind.GATE, 0, 0, 0, 0, None)]}, [ledger]).events
    assert (effect.kind, effect.node, effect.epoch, effect.operation, effect.attempt) == (
        Kind.EFFECT, "server", 2, (CLIENT, 3), 4,
    )  # fmt: skip
    assert effect.detail == {"n": 1, "intent": 1_000_003, "epoch": 2, "result": "seven", "ledger": "server.db"}
    assert (whole.kind, whole.node, whole.epoch, whole.operation) == (Kind.LEDGER, "server", 0, (0, 0))
    assert whole.detail == {"ledger": "server.db", "state": {"total": 7}, "history": 71, "archived": True}
    assert effect.time == whole.time == 9
    assert (effect.domain, effect.process, whole.attempt, whole.process) == ("d", 0, 0, 0)


def test_a_call_that_is_open_at_the_end_is_closed_as_unknown() -> None:
    journal = [_start(), Record(5, Kind.INVOKE, CLIENT, 1, 0, 1, {}), Record(6, Kind.INVOKE, CLIENT, 2, 0, 1, {})]
    journal += [Record(7, Kind.OK, CLIENT, 2, 0, 1, {})]
    (closed,) = [event for event in merge({("client", 1): journal}).events if event.kind is Kind.INFO]
    assert (closed.operation, closed.time, closed.detail) == (
        (CLIENT, 1),
        7,
        {"error": "open at the end", "closed": True},
    )
