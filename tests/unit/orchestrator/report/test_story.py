"""One operation's history, told line by line."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run

from chaos import decisions
from chaos.decisions import Awaits, Keep
from nodes.wire.header import Status, intent_number
from nodes.wire.record import Kind
from orchestrator.history.merged import merge
from orchestrator.oracles.effects import Effect, ledger
from orchestrator.report.story import VERBS, story

FIRST = (CLIENT, 1)


def told(run: Run) -> list[str]:
    """Without the times."""
    head, *lines, end = story(run.history(), FIRST)
    assert head == "Operation 1 of client process 1:"
    assert all(" ms  " in line for line in lines)
    return [" ".join(line.split(" ms  ")[1].split()) for line in lines] + [end.strip()]


def test_each_thing_that_is_done_to_a_message_has_a_word() -> None:
    kinds = (decisions.Pass, decisions.Drop, decisions.Copy, decisions.Alter, decisions.Half, decisions.Cut)
    kept = {Keep(awaits).act for awaits in (Awaits.TIME, Awaits.RELEASE, Awaits.NEXT)}
    assert {kind.act for kind in kinds} | kept | {decisions.Slice.act, "partition", "lost"} == set(VERBS)


def test_a_crash_from_call_to_end() -> None:
    run = Run().call(2).invoke(1).send(1).decide("request", 1).receive(1).execute(1).commit(1)
    run.failpoint("after-commit", 1).upstream(False).act("restart").end(1).serve().unconnected(1, 2)
    run.send(1, 3, connection=2).decide("request", 1, 3, act="truncate", rule=0)
    run.server(Kind.BROKEN, 1, 3, reason="too short").rule(True).rule(False).act("none")
    run.decide("request", 1, 4, act="vanish").run(1, 4).decide("reply", 1, 4, act="duplicate").release("reply", 1, 4)
    run.reply(1, 4, 3, Status.CACHED).ok(1, 3)
    assert told(run) == [
        "client calls add(1)",
        "client sends attempt 1",
        "relay passes the request of attempt 1",
        "server receives attempt 1",
        "server EXECUTES add(1)",
        "server commits effect 2, result 2",
        "server dies at the failpoint after-commit",
        "orchestrator finds server dead (signal 9)",
        "orchestrator does 'restart' to server",
        "client loses the connection of attempt 1: end of file",
        "server/2 starts as epoch 2, with a new incarnation",
        "client cannot connect for attempt 2: ConnectionRefusedError",
        "client sends attempt 3",
        "relay TRUNCATES the request of attempt 3",
        "server/2 gets a message that does not decode: too short",
        "packet switches rule 0 on",
        "packet switches rule 0 off",
        "orchestrator does nothing to server: None",
        "relay does 'vanish' to the request of attempt 4",
        "server/2 receives attempt 4",
        "server/2 EXECUTES add(1)",
        "server/2 commits effect 3, result 3",
        "server/2 answers attempt 4: executed, value 3",
        "relay COPIES the reply of attempt 4",
        "relay lets the reply of attempt 4 go on (duplicate)",
        "client gets a reply to attempt 4: cached, value 3",
        "client knows: ok, value 3",
        "By the ledgers it was executed twice, in epoch 1 and 2.",
    ]


@pytest.mark.parametrize(
    ("run", "last"),
    [
        (Run().invoke(1).info(1), "client does not know: info, error no reply"),
        (Run().invoke(1).fail(1), "client knows: fail, it was not executed, error no connection"),
    ],
)
def test_what_nobody_executed(run: Run, last: str) -> None:
    assert told(run) == ["client calls add(1)", last, "By the ledgers it was executed never."]


def test_of_a_system_the_oracle_says_how_often_it_was_executed() -> None:
    found = ledger([Effect(intent_number(1, 1, 1), 2)])
    assert story(merge(Run().call(1).journals, [found]), FIRST)[-1] == "  By the oracle it was executed twice."


def test_nothing_is_told_of_an_operation_that_nobody_knows() -> None:
    assert story(Run().call(2).history(), FIRST) == []
