"""Each opportunity is found in a history that offers it, and not in one that only looks alike."""

from __future__ import annotations

import sys
from itertools import product
from types import FrameType
from typing import get_args

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

from chaos.faults.models import Model
from nodes.wire.header import Status
from orchestrator.checkers.delivery import EITHER, NEEDED
from orchestrator.checkers.opportunities import OPPORTUNITIES, offered
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index
from orchestrator.scenario.cell import Opportunity, Triable


def made(run: Run, **options: object) -> set[str]:
    """What operation 1 offered."""
    found = offered(Setting(cell(**options), Index(run.history())))  # type: ignore[arg-type]
    return {name for name, operations in found.items() if (CLIENT, 1) in operations}


def reply_twice() -> Run:
    run = Run().invoke(1).send(1).run(1).reply(1, 1, 1)
    return run.ok(1, 1).reply(1, 1, 1).healed(2)


def invoked_while_down() -> Run:
    run = Run().call(9).act("kill").reap().upstream(False).invoke(1).unconnected(1).fail(1)
    return run.serve().upstream(True).healed(2)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (Run().call(1), set()),
        (request_lost(Run()), {"request-unseen"}),
        (reply_lost(Run()), {"reply-unseen", "repeat-after-commit"}),
        (joined(Run()), {"repeat-while-executing"}),
        (after_trim(Run()), {"repeat-after-trim"}),
        (overtaken(Run()), {"seen-out-of-order"}),
        (connection_cut(Run()), {"cut-while-open", "repeat-after-cut", "repeat-after-commit", "reply-unseen"}),
        (crash_before_commit(Run()), {"died-before-commit", "repeat-in-later-epoch"}),
        (crash_after_commit(Run()), {"died-after-commit", "repeat-in-later-epoch"}),
        (
            crash_after_commit(Run(histories=(71, 72))),
            {"died-after-commit", "repeat-in-later-epoch", "repeat-after-history-loss"},
        ),
        (reply_twice(), {"reply-received-twice"}),
        (invoked_while_down(), {"invoked-while-down"}),
    ],
)
def test_what_a_run_offers(run: Run, expected: set[str]) -> None:
    assert made(run) == expected


def test_a_reply_to_an_operation_without_effect_was_no_loss() -> None:
    run = Run().invoke(1).send(1).receive(1).execute(1).answer(1, 1, 1).info(1)
    assert "reply-unseen" not in made(run)


def test_an_unreceived_answer_to_a_later_attempt_is_no_loss_if_an_earlier_one_arrived() -> None:
    """The first reply came after the second attempt was sent, whose own was lost."""
    run = Run().invoke(1).send(1).run(1).send(1, 2).reply(1, 1, 1).receive(1, 2).answer(1, 2, 1, Status.CACHED)
    assert "reply-unseen" not in made(run.ok(1, 1).healed(2))
    copied = Run().invoke(1).send(1).run(1).reply(1, 1, 1).receive(1, 2).answer(1, 2, 1, Status.CACHED).ok(1, 1)
    assert "reply-unseen" not in made(copied.healed(2))


def test_a_reply_that_came_after_a_further_attempt_was_late() -> None:
    run = Run().invoke(1).send(1).run(1).send(1, 2).reply(1, 1, 1).ok(1, 1)
    run.receive(1, 2).answer(1, 2, 1, Status.CACHED).reply(1, 2, 1, Status.CACHED)
    assert made(run.healed(2)) == {"answered-late", "repeat-after-commit"}


def test_an_attempt_that_was_answered_after_its_client_had_left_it_was_late() -> None:
    run = Run().invoke(1).send(1).end(1, error="timeout").send(1, 2, connection=2).run(1, 2).reply(1, 2, 1).ok(1, 1)
    run.receive(1).answer(1, 1, 1, Status.CACHED)
    assert made(run.healed(2)) == {"answered-late", "repeat-after-commit"}


def test_a_reply_is_not_late_where_a_message_was_lost() -> None:
    run = Run().invoke(1).send(1).run(1).send(1, 2).reply(1, 1, 1).ok(1, 1).healed(2)
    assert "answered-late" not in made(run)


def test_an_overtaken_operation_that_comes_again_is_a_repeat_out_of_order() -> None:
    run = overtaken(Run()).receive(1, 2, first=1).answer(1, 2, 2, Status.CACHED)
    assert {"seen-out-of-order", "repeat-out-of-order"} <= made(run)


def test_a_crash_cuts_no_connection_even_if_its_client_hears_of_it_later() -> None:
    run = Run().invoke(1).send(1).receive(1).execute(1).failpoint("before-commit", 1).serve().end(1)
    run.send(1, 2, connection=2).run(1, 2).reply(1, 2, 1).ok(1, 1).healed(2)
    assert "cut-while-open" not in made(run)


def test_a_repeat_after_a_trim_is_no_repeat_with_the_record_present() -> None:
    assert "repeat-after-commit" not in made(after_trim(Run()))


def test_a_connection_that_the_client_gave_up_itself_was_not_cut() -> None:
    run = Run().invoke(1).send(1).end(1, error="timeout").send(1, 2, connection=2).run(1, 2).reply(1, 2, 1).ok(1, 1)
    assert "cut-while-open" not in made(run)


def test_a_retransmission_that_arrives_after_an_answered_crash_died_after_its_reply() -> None:
    run = Run().invoke(1).send(1).run(1).reply(1, 1, 1).ok(1, 1).failpoint("after-send", 1).serve().receive(1)
    assert "died-after-commit" not in made(run)
    assert "repeat-in-later-epoch" in made(run)


def test_a_call_while_the_server_is_being_reaped_is_not_yet_while_down() -> None:
    run = Run().act("kill").reap().invoke(1).upstream(False).unconnected(1).fail(1).serve()
    assert "invoked-while-down" not in made(run)


def test_a_budget_is_spent_when_all_its_attempts_were_made() -> None:
    run = Run().invoke(1).send(1).send(1, 2).info(1)
    assert "budget-spent" in made(run, attempts=2)
    assert "budget-spent" not in made(run, attempts=3)
    assert "budget-spent" not in made(run)


def test_one_attempt_is_no_budget_and_an_answer_spends_none() -> None:
    """*Maybe* makes one; a call that was refused was answered."""
    assert "budget-spent" not in made(Run().invoke(1).send(1).info(1), semantics="maybe")
    assert "budget-spent" not in made(Run().invoke(1).send(1).info(1), attempts=1)
    refused = Run().invoke(1).send(1).send(1, 2).receive(1, 2).answer(1, 2, None, Status.REFUSED)
    assert "budget-spent" not in made(refused.reply(1, 2, None, Status.REFUSED).info(1, "refused"), attempts=2)


def test_every_opportunity_that_a_claim_needs_has_its_function() -> None:
    assert {name for names in NEEDED.values() for name in names} <= set(OPPORTUNITIES) == set(get_args(Opportunity))
    assert set(NEEDED) == set(product(get_args(Triable), get_args(Model)))
    assert set(NEEDED) >= EITHER


def trimming(calls: int) -> Setting:
    """Each call forgets the one before."""
    run = Run()
    for seq in range(1, calls + 1):
        run.invoke(seq).send(seq).decide("request", seq).receive(seq, first=seq).trim(seq)
        run.execute(seq).commit(seq).answer(seq, 1, seq).reply(seq, 1, seq).ok(seq, seq)
    return Setting(cell(), Index(run.healed(calls + 1).history()))


def work(setting: Setting) -> int:
    """How many functions are called to find what was offered."""
    called = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal called
        called += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        offered(setting)
    finally:
        sys.setprofile(before)
    return called


def test_the_work_grows_with_the_calls_and_not_with_their_square() -> None:
    assert work(trimming(800)) < 2.5 * work(trimming(400))
