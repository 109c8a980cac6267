"""Random histories that no run would make, so that every branch of a checker is met; and what outages are by their
plain definition, which looks at everything each time."""

from __future__ import annotations

import random
from typing import Any

from history_builder import CLIENT, Run, cell
from stories import LINK

from nodes.wire.record import Kind
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index, Outage
from orchestrator.history.merged import Event, Life

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


# Outages


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
