"""Merging journals of several clocks: order goes as far as causes and estimates reach, and no further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.wire.record import Kind, Record
from orchestrator.history.clocks import Clock
from orchestrator.history.file import dump, load
from orchestrator.history.merged import Event, History, HistoryError, Ledger, merge

CLIENT = 10_101
Journals = Mapping[tuple[str, int], Sequence[Record]]


def start(domain: str, time: int = 0) -> Record:
    return Record(time, Kind.START, 0, 0, 0, 0, {"domain": domain, "evidence": "real"})


def note(time: int, kind: Kind, seq: int = 0, attempt: int = 0, **detail: object) -> Record:
    return Record(time, kind, CLIENT if seq else 0, seq, attempt, 0, detail or None)


def kinds(history: History) -> list[str]:
    return [f"{event.node} {event.kind.name}" for event in history.events if event.kind is not Kind.START]


def find(history: History, node: str, kind: Kind) -> Event:
    return next(event for event in history.events if (event.node, event.kind) == (node, kind))


def two(server_ahead: int, error: int, received: int) -> History:
    """A client's send at 100 and a server's receive, stamped by a clock that is ahead."""
    journals = {
        ("client", 1): [start("c"), note(90, Kind.INVOKE, 1), note(100, Kind.SEND, 1, 1), note(200, Kind.OK, 1)],
        ("server", 1): [start("s", server_ahead), note(received + server_ahead, Kind.RECEIVE, 1, 1)],
    }
    return merge(journals, [], [Clock("s", server_ahead, error, "alpha")])


def test_a_receive_that_seems_early_within_the_error_follows_its_send() -> None:
    history = two(server_ahead=10**15, error=50, received=80)
    assert kinds(history) == ["client INVOKE", "client SEND", "server RECEIVE", "client OK"]
    ordered = history.ordered()
    send, receive = find(history, "client", Kind.SEND), find(history, "server", Kind.RECEIVE)
    assert ordered(send, receive)
    assert not ordered(receive, send)


def test_a_receive_that_was_certainly_before_its_send_stays_before_it() -> None:
    history = two(server_ahead=10**15, error=5, received=80)
    assert kinds(history)[:2] == ["server RECEIVE", "client INVOKE"]
    assert history.ordered()(find(history, "server", Kind.RECEIVE), find(history, "client", Kind.SEND))


def test_what_neither_causes_nor_clocks_order_is_not_ordered() -> None:
    history = two(server_ahead=7, error=50, received=180)
    ordered = history.ordered()
    receive, ok = find(history, "server", Kind.RECEIVE), find(history, "client", Kind.OK)
    assert receive.order < ok.order
    assert not ordered(receive, ok)
    assert not ordered(ok, receive)


def test_an_event_keeps_the_time_of_its_own_clock() -> None:
    history = two(server_ahead=1_000, error=5, received=150)
    assert find(history, "server", Kind.RECEIVE).time == 1_150
    assert next(event.time for event in history.on_one_clock() if event.kind is Kind.RECEIVE) == 150


def test_causes_of_causes_order_events_that_no_message_joins() -> None:
    """The relay lies between: what the client did before its send came before what the server did on receiving."""
    error = 10**6
    journals = {
        ("client", 1): [start("c"), note(10, Kind.INVOKE, 1), note(20, Kind.SEND, 1, 1)],
        ("relay", 1): [start("r"), note(15, Kind.DECISION, 1, 1, direction="request", act="pass")],
        ("server", 1): [start("s"), note(5, Kind.RECEIVE, 1, 1), note(6, Kind.EXECUTE, 1, 1)],
    }
    history = merge(journals, [], [Clock("r", 0, error, "beta"), Clock("s", 0, error, "alpha")])
    names = kinds(history)
    assert names[:5] == ["client INVOKE", "client SEND", "relay DECISION", "server RECEIVE", "server EXECUTE"]
    assert history.ordered()(find(history, "client", Kind.INVOKE), find(history, "server", Kind.EXECUTE))


def test_control_orders_starts_ends_and_phases() -> None:
    error = 10**6
    journals = {
        ("orchestrator", 1): [
            start("o", 50),
            note(60, Kind.PHASE, phase="start"),
            note(70, Kind.PHASE, phase="load"),
            note(80, Kind.REAPED, node="server", epoch=1, signal=9),
            note(81, Kind.ACT, act="restart", node="server", epoch=2),
            note(90, Kind.PHASE, phase="drain"),
        ],
        ("server", 1): [start("s", 10), note(95, Kind.FAILPOINT, name="received")],
        ("server", 2): [start("s", 96), note(97, Kind.READY)],
        ("client", 1): [start("c", 11), note(12, Kind.INVOKE, 1), note(99, Kind.OK, 1)],
    }
    history = merge(journals, [], [Clock("s", 0, error, "alpha"), Clock("c", 0, error, "beta")])
    phases = {event.detail["phase"]: event.order for event in history.events if event.kind is Kind.PHASE}
    starts = {(e.node, e.epoch): e.order for e in history.events if e.kind is Kind.START}
    assert phases["start"] < min(starts["server", 1], starts["client", 1])
    assert phases["load"] < find(history, "client", Kind.INVOKE).order
    assert find(history, "server", Kind.FAILPOINT).order < find(history, "orchestrator", Kind.REAPED).order
    assert find(history, "orchestrator", Kind.ACT).order < starts["server", 2]
    assert find(history, "client", Kind.OK).order < phases["drain"]


def test_effects_and_closed_calls_come_last_whatever_clock_they_have() -> None:
    journals = {
        ("client", 1): [start("c"), note(10, Kind.INVOKE, 1)],
        ("server", 1): [start("s", 10**9), note(10**9 + 500, Kind.STOP)],
    }
    history = merge(journals, [], [Clock("s", 10**9, 3, "alpha")])
    assert (history.events[-1].kind, history.events[-1].time, history.events[-1].domain) == (Kind.INFO, 500, "c")
    ordered, first, last = history.ordered(), history.events[0], history.events[-1]
    assert (ordered(first, last), ordered(last, first), ordered(last, last)) == (True, False, False)


def test_a_domain_whose_clock_nobody_compared_is_refused() -> None:
    journals = {("a", 1): [start("x")], ("b", 1): [start("y")], ("c", 1): [start("z")]}
    with pytest.raises(HistoryError, match=r"more than one clock domain.*a\.1 has 'x'; b\.1 has 'y'"):
        merge(journals, [], [Clock("z", 0, 1, "alpha")])


def test_journals_that_contradict_one_another_are_refused() -> None:
    """Each message was received before the other one was sent: no true journals say so."""
    journals = {
        ("a", 1): [start("x"), note(10, Kind.RECEIVE, 2, 1), note(11, Kind.SEND, 1, 1)],
        ("b", 1): [start("y"), note(10, Kind.RECEIVE, 1, 1), note(11, Kind.SEND, 2, 1)],
    }
    with pytest.raises(HistoryError, match=r"contradict.*RECEIVE of attempt 1 of 10101/2 in a\.1 and RECEIVE"):
        merge(journals, [], [Clock("y", 0, 100, "alpha")])


# Any true run: events at true times on some hosts, messages between them, clocks that are off by less than they say.

STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 40), st.integers(0, 40)), max_size=12)
CLOCKS = st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 60)), min_size=2, max_size=2)


@settings(deadline=None, max_examples=80)
@given(STEPS, CLOCKS, st.data())
def test_order_never_contradicts_what_truly_happened(
    steps: list[tuple[int, int, int, int]], clocks: list[tuple[int, int]], data: st.DataObject
) -> None:
    known = [Clock("d0", 0, 0, "")]
    shown = [0]
    for number, (offset, error) in enumerate(clocks, 1):
        known.append(Clock(f"d{number}", offset, error, ""))
        shown.append(offset + data.draw(st.integers(-error, error)))
    true: list[tuple[int, int, Record]] = []
    now = 0
    for message, (source, target, gap, way) in enumerate(steps, 1):
        now += gap
        true.append((now, source, note(now + shown[source], Kind.SEND, message, 1)))
        true.append((now + way, target, note(now + way + shown[target], Kind.RECEIVE, message, 1)))
    true.sort(key=lambda one: one[0])
    journals: dict[tuple[str, int], list[Record]] = {(f"n{d}", 1): [start(f"d{d}", -(10**7))] for d in range(3)}
    for _, d, record in true:
        journals[f"n{d}", 1].append(record)
    history = merge(journals, [], known[1:])
    moments = {(record.seq, record.kind): time for time, _, record in true}
    events = [event for event in history.events if event.seq and event.kind in (Kind.SEND, Kind.RECEIVE)]
    ordered = history.ordered()
    for first in events:
        for second in events:
            when, then = moments[first.seq, first.kind], moments[second.seq, second.kind]
            if ordered(first, second):
                assert when <= then
                assert first.order < second.order
            if first.seq == second.seq and first.kind is Kind.SEND and second.kind is Kind.RECEIVE:
                assert ordered(first, second) or first.domain == second.domain
    assert load(dump(history)) == history
    for node, records in journals.items():
        own = [event for event in history.events if (event.node, event.epoch) == node]
        assert [(event.time, event.kind, event.seq) for event in own][: len(records)] == [
            (record.time, record.kind, record.seq) for record in records
        ]


def test_what_is_collected_comes_after_all_else_whatever_the_clocks_say() -> None:
    journals = {
        ("client", 1): [start("c"), note(90, Kind.INVOKE, 1), note(100, Kind.SEND, 1, 1)],
        ("server", 1): [start("s"), note(10**6, Kind.RECEIVE, 1, 1)],
    }
    rows = [(n, CLIENT, n, n, 1, 1, n) for n in (1, 2)]
    history = merge(
        journals,
        [Ledger("server.1", "server", archived=False, effects=rows, state={}, history=1)],
        [Clock("s", 5, 10**9, "alpha")],
    )
    ordered = history.ordered()
    first, second = (event for event in history.events if event.kind is Kind.EFFECT)
    for event in history.events:
        if event.kind not in (Kind.EFFECT, Kind.LEDGER):
            assert ordered(event, first)
            assert not ordered(first, event)
    assert ordered(first, second)
    assert not ordered(second, first)
