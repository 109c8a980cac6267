"""What checkers look up is what the plain definition says, which looks at everything each time: over random histories
that no run would make, so that every branch is met."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from history_builder import CLIENT, Run, cell
from stories import (
    after_trim,
    connection_cut,
    crash_after_commit,
    crash_before_commit,
    joined,
    overtaken,
    reply_lost,
    request_lost,
)

from chaos.faults.messages import Cut, Reorder
from chaos.faults.processes import Pause
from nodes.wire.record import Kind
from orchestrator.checkers.bites import messages, processes, transits
from orchestrator.checkers.caps import caps
from orchestrator.checkers.opportunities import OPPORTUNITIES, RESULTS
from orchestrator.checkers.properties import reference, replies
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index, Outage, Trace
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, Life, Operation

LINK = "client -> server"
STORIES = (
    request_lost,
    reply_lost,
    joined,
    after_trim,
    overtaken,
    connection_cut,
    crash_before_commit,
    crash_after_commit,
)
CLIENTS = (CLIENT, CLIENT + 100)
SEEDS = range(40)


def soup(seed: int, events: int = 150) -> Views:
    """Anything in any order, of two clients, three epochs of a server, and what is done to them."""
    dice, run = random.Random(seed), Run()
    for epoch in (2, 3):
        run.start("server", epoch, "server", history=71 + dice.randrange(2))
        if dice.random() < 0.8:
            run.note("server", epoch, Kind.READY)
    for _ in range(events):
        dice.choice(INGREDIENTS)(run, dice)
    for epoch in (1, 2, 3):
        if dice.random() < 0.6:
            run.note("orchestrator", 1, Kind.REAPED, node="server", epoch=epoch, signal=dice.choice([0, 9]), code=0)
    return Views(cell(clients=2), Index(run.history()))


def _call(run: Run, dice: random.Random, node: str, epoch: int, kind: Kind, **detail: Any) -> None:
    run.note(node, epoch, kind, dice.choice(CLIENTS), dice.randint(1, 4), dice.randint(1, 3), **detail)


def _client(run: Run, dice: random.Random) -> None:
    kind = dice.choice([Kind.INVOKE, Kind.SEND, Kind.REPLY, Kind.END, Kind.OK, Kind.INFO, Kind.ATTEMPT])
    value, error = dice.randint(1, 3), dice.choice(["timeout", "end of file"])
    said = {"connection": dice.randint(1, 3), "error": error, "value": value, "intent": dice.randint(1, 4), "f": "add"}
    _call(run, dice, "client", 1, kind, **said, status=0)


def _server(run: Run, dice: random.Random) -> None:
    kind = dice.choice([Kind.RECEIVE, Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER])
    said = {"first": 1, "link": LINK, "result": dice.randint(1, 3), "status": dice.choice([0, 1]), "value": 1, "n": 1}
    _call(run, dice, "server", dice.randint(1, 3), kind, **said)


def _relay(run: Run, dice: random.Random) -> None:
    direction, act = dice.choice(["request", "reply"]), dice.choice(["pass", "hold"])
    _call(run, dice, "relay", 1, Kind.DECISION, link=LINK, direction=direction, rule=0, act=act)


def _row(run: Run, dice: random.Random) -> None:
    rows = run.rows.setdefault("server.71", [])
    client, seq, intent = dice.choice(CLIENTS), dice.randint(1, 4), dice.randint(1, 4)
    rows.append((len(rows) + 1, client, seq, intent, dice.randint(1, 3), 1, dice.randint(1, 3)))


def _act(run: Run, dice: random.Random) -> None:
    act, node = dice.choice(["kill", "pause", "resume", "ready"]), dice.choice(["server", "client"])
    run.note("orchestrator", 1, Kind.ACT, act=act, node=node, epoch=dice.randint(1, 3), fault=dice.randint(0, 1))


def _other(run: Run, dice: random.Random) -> None:
    if dice.random() < 0.5:
        run.note("server", dice.randint(1, 3), Kind.FAILPOINT, CLIENT, 1, 1, name="received", fault=0)
    run.upstream(dice.random() < 0.5)
    run.phase(dice.choice(["load-capped", "settle-capped", "predecessors-capped", "other"]))


INGREDIENTS = (_client, _client, _client, _server, _server, _relay, _relay, _row, _act, _other)


# The definitions, each of which looks at everything for each item


def killed_at(index: Index, life: Life) -> int | None:
    if not index.killed(life):
        return None
    acts = [event.order for event in _acts(index, "kill", life)]
    last = index.lives[life][-1].order if life in index.lives else index.reaped[life].order
    return max([last, *acts])


def _acts(index: Index, act: str, life: Life) -> list[Event]:
    return [
        event
        for event in index.events
        if event.kind is Kind.ACT
        and event.detail["act"] == act
        and (event.detail["node"], event.detail["epoch"]) == life
    ]


def downs(index: Index) -> list[Outage]:
    found = []
    for life in [(node, epoch) for node, epochs in index.servers.items() for epoch in epochs]:
        if (begin := killed_at(index, life)) is not None:
            successor = index.lives.get((life[0], life[1] + 1), [])
            end = next((event.order for event in successor if event.kind is Kind.READY), index.end)
            found.append(Outage(life, begin, _closed(index, life, begin, end), end))
    return found


def _closed(index: Index, life: Life, begin: int, end: int) -> int:
    for event in index.events:
        closes = (
            event.kind is Kind.UPSTREAM and not event.detail["up"] and event.detail["link"] == f"client -> {life[0]}"
        )
        if closes and begin <= event.order < end:
            return event.order
    return index.reaped[life].order


def pauses(index: Index) -> list[Outage]:
    found, ended = [], {}
    for event in index.events:
        if event.kind is Kind.ACT and event.detail["act"] in ("resume", "kill"):
            life = (event.detail["node"], event.detail["epoch"])
            lines = [line for line in index.lives.get(life, []) if line.kind is Kind.FAILPOINT]
            stops = [stop.order for stop in (*_acts(index, "pause", life), *lines)]
            mine = [order for order in stops if ended.get(life, -1) < order < event.order]
            ended[life] = event.order
            found += [Outage(life, max(mine), max(mine), event.order)] if mine else []
    return found


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


def died_before_commit(index: Index, trace: Trace) -> bool:
    return any(
        index.killed(copy.life)
        and not any(effect.epoch <= copy.epoch for effect in trace.effects)
        and not any(answer.life == copy.life for answer in trace.answers)
        for copy in trace.receives
    )


def died_after_commit(index: Index, trace: Trace) -> bool:
    for effect in trace.effects:
        later = [copy for copy in trace.receives if copy.epoch > effect.epoch and copy.node == effect.node]
        died = killed_at(index, effect.life) is not None
        if died and later and all(later[0].order < reply.order for reply in trace.replies):
            return True
    return False


def repeat_while_executing(index: Index, trace: Trace) -> bool:
    return len(trace.receives) > 1 and any(
        copy.life == execute.life and execute.order < copy.order < _finished(index, trace, execute)
        for execute in trace.executes
        for copy in trace.receives
    )


def _finished(index: Index, trace: Trace, execute: Event) -> int:
    ends = [
        event.order
        for event in (trace.commits if trace.has_effect else trace.answers)
        if event.life == execute.life and event.attempt == execute.attempt and event.order > execute.order
    ]
    return min(ends, default=index.lives[execute.life][-1].order)


def repeat_after_commit(index: Index, trace: Trace) -> bool:
    return any(
        copy.life == commit.life and copy.order > commit.order for commit in trace.commits for copy in trace.receives
    )


def repeat_after_history_loss(index: Index, trace: Trace) -> bool:
    ids = index.histories
    return any(
        copy.node == effect.node and copy.epoch > effect.epoch and ids.get(copy.life) != ids.get(effect.life)
        for effect in trace.effects
        for copy in trace.receives
    )


def cut_while_open(index: Index, trace: Trace) -> bool:
    begun = {event.attempt: event.order for event in reversed(trace.attempts)}
    away = [outage for outage in (*downs(index), *pauses(index)) if outage.life[0] == "server"]
    return any(
        send.attempt > end.attempt and send.detail["connection"] != end.detail["connection"]
        for end in trace.ends
        if end.detail["error"] != "timeout"
        and not any(
            outage.begin < end.order and (end.order < outage.end or begun.get(end.attempt, end.order) < outage.begin)
            for outage in away
        )
        for send in trace.sends
    )


def reply_unseen(index: Index, trace: Trace) -> bool:
    arrived = {event.attempt for event in trace.replies if event.detail["status"] in RESULTS}
    return any(
        commit.attempt < send.attempt and commit.order < send.order and answer.attempt == commit.attempt
        for send in trace.sends
        if not any(attempt < send.attempt for attempt in arrived)
        for commit in trace.commits
        for answer in trace.answers
        if answer.detail["status"] in RESULTS
    )


def answered_late(index: Index, trace: Trace) -> bool:
    left = {event.attempt for event in trace.ends if event.detail["error"] == "timeout"}
    heard = left | {event.attempt for event in trace.replies}
    lost = any(send.attempt not in {copy.attempt for copy in trace.receives} for send in trace.sends)
    return not (lost or any(answer.attempt not in heard for answer in trace.answers)) and any(
        event.attempt < send.attempt and send.order < event.order and event.detail["status"] in RESULTS
        for send in trace.sends
        for event in (*trace.replies, *(answer for answer in trace.answers if answer.attempt in left))
    )


def invoked_while_down(index: Index, trace: Trace) -> bool:
    return trace.invoke is not None and any(
        outage.closed < trace.invoke.order and (outage.end == index.end or trace.invoke.order < outage.end)
        for outage in downs(index)
    )


DEFINITIONS = (
    died_before_commit,
    died_after_commit,
    repeat_while_executing,
    repeat_after_commit,
    repeat_after_history_loss,
    cut_while_open,
    reply_unseen,
    answered_late,
    invoked_while_down,
)

IN_TURN = (reply_unseen, answered_late)
"""Attempts are sent one after another, as clients do."""


# What is looked up


@pytest.mark.parametrize("seed", SEEDS)
def test_opportunities(seed: int) -> None:
    setting = soup(seed)
    for definition in DEFINITIONS:
        made = OPPORTUNITIES[definition.__name__.replace("_", "-")]
        for trace in setting.index.traces.values():
            if definition in IN_TURN and [send.attempt for send in trace.sends] != list(range(1, len(trace.sends) + 1)):
                continue
            if trace.invoke is not None or definition is not invoked_while_down:
                assert made(setting, trace) == definition(setting.index, trace), (definition, trace)


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
def test_straight_operations_offer_nothing_that_they_are_not_asked_for(seed: int) -> None:
    settings = [soup(seed), Views(cell(), Index(STORIES[seed % len(STORIES)](Run()).history()))]
    for setting in settings:
        for operation, trace in setting.index.invoked.items():
            made = {name for name, made in OPPORTUNITIES.items() if made(setting, trace)}
            assert made == {name for name, operations in setting.offered.items() if operation in operations}


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
