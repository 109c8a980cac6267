"""What makes an operation one that is looked at: each single thing that is not as the plan has it, or in its turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from history_builder import CLIENT, Run, cell

from nodes.wire.header import intent_number
from nodes.wire.record import Kind
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

OTHER = CLIENT + 100
LINK = "client -> server"
Step = Callable[[Run], Any]


def greeted(run: Run, client: int = CLIENT, act: str = "pass") -> Run:
    run.decide("request", 0, client=client, act=act).receive(0, first=0, client=client)
    run.answer(0, value=None, client=client, connection=1).decide("reply", 0, client=client).reply(0, client=client)
    return run.note("client", 1, Kind.SESSION, client, 0, 1, incarnation=1001, history=71, lease=60_000)


def call(
    run: Run,
    seq: int = 1,
    client: int = CLIENT,
    server: int = 0,
    intent: int | None = None,
    link: str = LINK,
    relayed: bool = True,
    hop: str = "relay",
    before: Step = lambda run: None,
) -> Run:
    """`before` comes before it is received."""
    said = {"intent": intent_number(1, client // 100 % 100, seq) if intent is None else intent, "f": "add", "value": 1}
    run.note("client", 1, Kind.INVOKE, client, seq, **said)
    run.send(seq, client=client, first=seq, wait=1, server=server)
    told = {"link": LINK, "occurrence": 1, "connection": 1, "rule": None, "act": "pass"}
    if relayed:
        run.note(hop, 1, Kind.DECISION, client, seq, 1, **told, direction="request")
    before(run)
    run.server(Kind.RECEIVE, seq, 1, client, connection=1, first=seq, server=server, link=link)
    run.server(Kind.EXECUTE, seq, 1, client, **said)
    run.effect(seq, client=client)
    name, (*rows, (n, _, _, _, *rest)) = run.ledger, run.rows[run.ledger]
    run.rows[name] = [*rows, (n, client, seq, said["intent"], *rest)]
    run.server(Kind.COMMIT, seq, 1, client, n=n, result=run.total).answer(
        seq, 1, run.total, client=client, connection=1
    )
    if relayed:
        run.note(hop, 1, Kind.DECISION, client, seq, 1, **told, direction="reply")
    return run.reply(seq, value=run.total, client=client).ok(seq, run.total, client)


def odd(run: Run, semantics: str = "at-most-once", **options: Any) -> set[tuple[int, int]]:
    return set(Setting(cell(semantics, **options), Index(run.history())).odd)


def test_nothing_is_odd_about_it() -> None:
    run = call(call(greeted(Run())), 2)
    assert odd(run) == set()
    setting = Setting(cell(), Index(run.history()))
    assert (dict(setting.even), len(setting.like_even)) == ({True: 2}, 1)
    assert (setting.suspected(Kind.RECEIVE) == setting.index.of_kind(Kind.RECEIVE)) is False


@pytest.mark.parametrize(
    ("semantics", "bound", "is_odd"),
    [
        ("at-most-once", 0, False),
        ("at-most-once", 71, True),
        ("exactly-once", 71, False),
        ("exactly-once", 1001, True),
        ("at-most-once-incarnation", 1001, False),
        ("at-most-once-incarnation", 71, True),
    ],
)
def test_it_is_bound_to_what_its_client_was_told(semantics: str, bound: int, is_odd: bool) -> None:
    assert bool(odd(call(greeted(Run()), server=bound), semantics)) is is_odd


def test_its_client_was_greeted_before_it_was_sent() -> None:
    assert odd(call(Run())) == {(CLIENT, 1)}
    assert odd(greeted(call(Run()))) == {(CLIENT, 1)}
    assert odd(call(greeted(Run(), OTHER))) == {(CLIENT, 1)}


def test_nothing_was_done_to_its_clients_hellos() -> None:
    assert odd(call(greeted(greeted(Run(), act="drop")))) == {(CLIENT, 1)}
    assert odd(call(greeted(greeted(Run()), OTHER, act="drop"))) == set()


def test_it_is_of_a_process_of_the_plan() -> None:
    assert odd(call(greeted(Run(), OTHER), client=OTHER)) == {(OTHER, 1)}
    assert odd(call(greeted(Run(), OTHER), client=OTHER), clients=2) == {(OTHER, 1)}


def test_it_went_over_its_link_and_past_the_hop_that_is_there() -> None:
    assert odd(call(greeted(Run()), link="client -> other")) == {(CLIENT, 1)}
    assert odd(call(greeted(Run()), relayed=False)) == {(CLIENT, 1)}
    assert odd(call(greeted(Run()), relayed=False), via="direct") == set()
    assert odd(call(greeted(Run()), hop="elsewhere")) == {(CLIENT, 1)}
    assert odd(call(greeted(Run()), hop="packet")) == set()


def test_it_is_what_its_workload_asks_for() -> None:
    assert odd(call(greeted(Run()), intent=intent_number(1, 1, 2))) == {(CLIENT, 1)}
    assert odd(call(greeted(Run())), workload="write", service="register") == {(CLIENT, 1)}


def test_it_ended_before_draining() -> None:
    assert odd(call(greeted(Run())).phase("drain")) == set()
    assert odd(call(greeted(Run()), before=lambda run: run.phase("drain"))) == {(CLIENT, 1)}


def test_it_came_in_its_turn() -> None:
    run = greeted(greeted(Run()), OTHER)
    assert odd(call(run, 1, before=lambda run: call(run, 2))) == {(CLIENT, 1)}
    run = greeted(Run())
    assert odd(call(run, 1, before=lambda run: run.start("server", 9, "server").receive(2, client=OTHER))) == {
        (OTHER, 2)
    }
    assert odd(call(greeted(Run()), 1, before=lambda run: run.trim(2))) == {(CLIENT, 1)}
    assert odd(call(greeted(Run()), 1, before=lambda run: run.trim(1))) == set()
    assert odd(call(greeted(Run()), 1, before=lambda run: run.trim(2, OTHER))) == set()
    assert odd(call(greeted(Run()), 1, before=lambda run: run.trim(2).trim(1))) == {(CLIENT, 1)}


def again(run: Run) -> Run:
    """The server dies, and is there again."""
    return run.act("kill").reap().upstream(False).serve().upstream(True)


def test_its_server_was_there_all_the_time() -> None:
    assert odd(call(greeted(Run()), before=again)) == {(CLIENT, 1)}
    assert odd(call(again(greeted(Run())))) == set()
    assert odd(again(call(greeted(Run())))) == set()
    assert odd(call(greeted(Run()), before=lambda run: run.act("pause").act("resume"))) == {(CLIENT, 1)}
