"""What is on record of nothing that the plan has stops a history; each of these once was looked at by no checker."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harms import Alter, altered, being, gone, saying
from history_builder import CLIENT, Run, cell, fitted
from stories import DROP_REPLY, crash_after_commit, reply_lost

from nodes.wire.record import Kind
from orchestrator.checkers.evidence import OF_CALLS, problems
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.history.merged import History


def gate(history: History) -> list[str]:
    return list(problems(Views(fitted(cell(faults=(DROP_REPLY,)), history), Index(history)), OF_CALLS))


@pytest.mark.parametrize("tell", [reply_lost, crash_after_commit])
def test_a_correct_run_passes(tell: Callable[[Run], Run]) -> None:
    assert gate(tell(Run().hello()).history()) == []


@pytest.mark.parametrize(
    ("kind", "node", "alter", "said"),
    [
        (Kind.START, "server", saying(history=5), "has rows of server, epoch 1, which says to have had another ledger"),
        (Kind.RECEIVE, "", saying(link="x -> server"), "server journalled RECEIVE of link x -> server, which the plan"),
        (Kind.RECEIVE, "", being(client=777), "server journalled RECEIVE of client 777, whom the plan has not there"),
        (Kind.RECEIVE, "", gone, f"server executed operation 1 of client {CLIENT}, attempt 1, and did not journal to"),
        (Kind.RECEIVE, "", being(kind=Kind.TRIM), "executed operation 1 of client 10101, attempt 1, and did not"),
        (Kind.EXECUTE, "", being(seq=0), f"server executed hello of client {CLIENT}, attempt 1"),
        (Kind.EXECUTE, "", gone, f"server committed operation 1 of client {CLIENT}, attempt 1, and did not journal to"),
        (Kind.COMMIT, "", being(client=777), "server journalled COMMIT of client 777, whom the plan has not there"),
        (
            Kind.COMMIT,
            "",
            saying(n=0),
            f"server journalled the commit of operation 1 of client {CLIENT}, which is",
        ),
        (Kind.DECISION, "", saying(link="x"), "relay journalled DECISION of link x, which the plan has not"),
        (Kind.DECISION, "", saying(rule=1), "relay journalled DECISION of rule 1, which the plan has not"),
        (Kind.EFFECT, "", being(client=777), "server journalled EFFECT of client 777, whom the plan has not there"),
        (Kind.EFFECT, "", saying(ledger="x"), "ledger x has rows of server, epoch 1, and was not collected of server"),
        (Kind.LEDGER, "", being(node="x"), "ledger server.71 is of x, which the plan has not for a server"),
        (Kind.LEDGER, "", saying(history=5), "has rows of server, epoch 1, which says to have had another ledger"),
    ],
)
def test_what_the_plan_has_not_is_noticed(kind: Kind, node: str, alter: Alter, said: str) -> None:
    run = Run() if kind is Kind.RECEIVE else Run().hello()  # of a call's receipt, not the hello's
    found = gate(altered(reply_lost(run).history(), kind, alter, node))
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize("executed_first", [True, False])
def test_what_is_committed_was_executed_before(executed_first: bool) -> None:
    """With a call in between, beside which this one is open."""
    run = Run().hello().invoke(1).send(1).decide("request", 1).receive(1)
    (run.execute if executed_first else run.commit)(1)
    run.call(2)
    (run.commit if executed_first else run.execute)(1)
    run.answer(1, 1, 1).decide("reply", 1).reply(1, 1, 1).ok(1, 1)
    found = [problem for problem in gate(run.healed(3).history()) if "committed" in problem]
    told = f"server committed operation 1 of client {CLIENT}, attempt 1, and did not journal to have executed it before"
    assert found == ([] if executed_first else [told])


def test_a_failpoint_is_of_a_fault_of_the_plan() -> None:
    found = gate(altered(crash_after_commit(Run()).history(), Kind.FAILPOINT, saying(fault=9)))
    assert "server journalled FAILPOINT of fault 9, which the plan has not" in found


def test_calls_without_a_number_are_served_like_others() -> None:
    run = Run().call(1).receive(1, client=0)
    run.server(Kind.EXECUTE, 1, 1, 0, intent=0, f="add", value=1).commit(1, client=0).healed(2)
    assert gate(run.history()) == []
