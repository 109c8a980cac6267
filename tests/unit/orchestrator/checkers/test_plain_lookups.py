"""What checkers look up of outages, messages, results and open calls is what the plain definition says, which looks at
everything each time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from plain_histories import SEEDS, downs, pauses, soup
from stories import LINK

from chaos.faults.messages import Cut, Reorder
from chaos.faults.processes import Pause
from nodes.wire.record import Kind
from orchestrator.checkers.bites import messages, processes, transits
from orchestrator.checkers.caps import caps
from orchestrator.checkers.properties import reference, replies
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index, Trace
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, Operation


def overtaken(index: Index, decision: Event, trace: Trace) -> bool:
    seen = _seen(decision, trace)
    return bool(seen) and any(
        event.order < seen[0].order
        for operation, other in index.traces.items()
        if operation[0] == trace.operation[0] and operation != trace.operation
        for later in other.decisions
        if later.order > decision.order and later.detail["direction"] == decision.detail["direction"]
        for event in _seen(later, other)
    )


def _seen(decision: Event, trace: Trace) -> list[Event]:
    events = trace.receives if decision.detail["direction"] == "request" else trace.replies
    return [event for event in events if event.attempt == decision.attempt]


def left(index: Index, decision: Event, trace: Trace) -> bool:
    seen = _seen(decision, trace)
    if not seen:
        return False
    connection = seen[0].detail["connection"]
    later = [e for e in index.events if e.client == trace.operation[0] and e.order > seen[0].order]
    sent = next((event for event in later if event.kind is Kind.SEND), None)
    ends = [event for event in later if event.kind is Kind.END and event.detail["connection"] == connection]
    lost = any(event.detail["error"] != "timeout" for event in ends)
    return lost or (sent is not None and sent.detail["connection"] != connection)


def of_messages(sent: list[Event], received: list[Event]) -> list[Event | None]:
    unused, found = list(received), []
    for event in sent:
        mine = next((one for one in unused if one.attempt == event.attempt and one.order > event.order), None)
        unused = [one for one in unused if one is not mine]
        found.append(mine)
    return found


def foreign(setting: Views) -> list[Operation]:
    """Told a result that no effect of its intent has."""
    rows = setting.index.of_kind(Kind.EFFECT)
    wrong = []
    for trace in _done(setting):
        own = [row for row in rows if row.detail["intent"] == trace.invoke.detail["intent"]]  # type: ignore[union-attr]
        value = trace.completion.detail["value"]  # type: ignore[union-attr]
        wrong += [trace.operation] if own and all(row.detail["result"] != value for row in own) else []
    return wrong


def shared(setting: Views) -> list[Operation]:
    told: Counter[tuple[int, int]] = Counter()
    wrong = []
    for trace in _done(setting):
        key = trace.invoke.detail["intent"], trace.completion.detail["value"]  # type: ignore[union-attr]
        told[key] += 1
        rows = setting.index.of_kind(Kind.EFFECT)
        effects = sum((row.detail["intent"], row.detail["result"]) == key for row in rows)
        wrong += [trace.operation] if effects and told[key] > effects else []
    return wrong


def _done(setting: Views) -> list[Trace]:
    return [trace for trace in setting.index.invoked.values() if trace.ending == "ok"]


# What is looked up


@pytest.mark.parametrize("seed", SEEDS)
def test_outages(seed: int) -> None:
    index = soup(seed).index
    assert index.downs == downs(index)
    assert index.pauses == pauses(index)
    everything = [*downs(index), *pauses(index)]
    for begin, end in [(a, b) for a in range(0, index.end, 13) for b in range(a, index.end, 17)]:
        for node in ("server", "client"):
            met = [each for each in everything if each.life[0] == node and each.begin < end and each.end > begin]
            assert sorted(index.away(node, begin, end)) == sorted(met)
            assert sorted(index.dead(node, begin, end)) == sorted(each for each in met if each in downs(index))


@pytest.mark.parametrize("seed", SEEDS)
def test_messages(seed: int) -> None:
    setting = soup(seed)
    index = setting.index
    for trace in index.traces.values():
        for decision in trace.decisions:
            reorder = Reorder(reorder="request", link=LINK, operations=(1,))
            assert messages.effective(setting, reorder, decision, trace) == overtaken(index, decision, trace)
            if decision.detail["direction"] == "reply":
                cut = Cut(cut="after", of="reply", link=LINK, operations=(1,))
                assert messages.effective(setting, cut, decision, trace) == left(index, decision, trace)
        pairs = [*of_messages(trace.sends, trace.receives), *of_messages(trace.answers, trace.replies)]
        every = [*transits.transits(setting, trace)]
        assert all(transit.received in pairs for transit in every)
        if not index.servers or not [*downs(index), *pauses(index)]:
            assert [transit.received for transit in every] == pairs


@pytest.mark.parametrize("seed", SEEDS)
def test_what_clients_were_told(seed: int) -> None:
    setting = soup(seed)
    found = replies.check(setting).violations
    assert [each.operation for each in found if "not the result of its intent" in each.reason] == foreign(setting)
    assert [each.operation for each in found if "which another client got too" in each.reason] == shared(setting)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_open(seed: int) -> None:
    setting = soup(seed)
    phases = [event for event in setting.index.of_kind(Kind.PHASE) if str(event.detail["phase"]).endswith("capped")]
    traces = setting.index.invoked.items()
    plain = [tuple(each for each, trace in traces if trace.open_during(at.order, at.order)) for at in phases]
    assert [cap.open for cap in caps(setting)] == plain
    spans = [*setting.index.downs, *setting.index.pauses]
    for trace in setting.index.traces.values():
        assert trace.open_in(Intervals(spans)) == any(trace.open_during(each.begin, each.end) for each in spans)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_paused(seed: int) -> None:
    setting = soup(seed)
    for fault in (0, 1):
        acts = {event.order for event in _of_fault(setting.index, "pause", fault)}
        wanted = [each for each in pauses(setting.index) if each.life[0] == "server" and each.begin in acts]
        found = processes._paused(setting, fault, Pause(pause="server", after=1))
        assert found == next(iter(wanted), None)


def _of_fault(index: Index, act: str, fault: int) -> list[Event]:
    acts = [event for event in index.of_kind(Kind.ACT) if event.detail["fault"] == fault]
    return [event for event in acts if event.detail["act"] == act and event.detail["node"] == "server"]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_earlier_epochs_committed(seed: int) -> None:
    setting = soup(seed)
    ids = setting.index.histories
    for life in [("server", epoch) for epoch in (1, 2, 3)]:
        earlier: dict[Operation, list[Any]] = {}
        for row in setting.index.of_kind(Kind.EFFECT):
            if row.node == life[0] and row.epoch < life[1] and ids.get((row.node, row.epoch)) == ids[life]:
                earlier.setdefault(row.operation, []).append(row.detail["result"])
        for operation in setting.index.traces:
            assert reference._inherited(setting, life, ids[life], operation) == earlier.get(operation, [])
