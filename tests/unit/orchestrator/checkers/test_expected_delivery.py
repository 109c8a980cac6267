"""A level under models is met where each model bit, and each property was tried under it or is said not to be."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import CLIENT, Run, cell
from stories import (
    COPY,
    DROP_REPLY,
    DROP_REQUEST,
    LINK,
    crash_after_commit,
    joined,
    kill,
    reply_lost_executed_again,
    request_lost,
)

from chaos.faults.fault import Fault
from chaos.faults.messages import Drop, Duplicate
from nodes.wire.header import Status
from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import ExpectationVerdict, Judgement, Met, Untried
from orchestrator.scenario.cell import Delivery, Expect, Outcome

REPLY_COPIED = Duplicate(duplicate="reply", link=LINK, operations=(1,))


def judged(run: Run, *faults: Fault, semantics: str = "at-most-once", **delivery: Any) -> Judgement:
    expect = Expect(delivery=Delivery(**delivery))
    return judge(cell(semantics, faults, expect=expect), run.history())


def verdict(judgement: Judgement) -> ExpectationVerdict:
    return next(found for found in judgement.expectations if found.name == "delivery")


def delivery(run: Run, *faults: Fault, **said: Any) -> tuple[Met, str]:
    found = verdict(judged(run, *faults, **said))
    return found.verdict, found.reason


def reply_copied(run: Run) -> Run:
    run.invoke(1).send(1).decide("request", 1).run(1).decide("reply", 1, act="duplicate", rule=0)
    return run.reply(1, 1, 1).ok(1, 1).reply(1, 1, 1).healed(2)


def lost_and_copied(run: Run) -> Run:
    """The request of operation 1 is lost; a copy of operation 2 comes after its commit."""
    run.invoke(1).send(1).decide("request", 1, act="drop", rule=0)
    run.send(1, 2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, 1).ok(1, 1)
    run.invoke(2).send(2).decide("request", 2, act="duplicate", rule=1).run(2).release("request", 2, rule=1)
    run.receive(2).answer(2, 1, 2, Status.CACHED).decide("reply", 2).reply(2, 1, 2).ok(2, 2)
    return run.healed(3)


COPY_OF_2 = Duplicate(duplicate="request", link=LINK, operations=(2,))


# Models


def test_a_copied_reply_says_nothing_of_crashes() -> None:
    under = ("server-crash", "history-loss")
    met, reason = delivery(reply_copied(Run()), REPLY_COPIED, holds="exactly-once", under=under)
    assert met is Met.INCONCLUSIVE
    assert reason.startswith("no fault bit as history-loss and server-crash: bites were of duplication")


def test_every_model_needs_a_bite_of_its_own_for_a_violation_too() -> None:
    run, fault = crash_after_commit(Run()), kill("after-commit")
    said = {"violated": "at-most-once", "witness": Outcome(client="ok", executions="2")}
    assert delivery(run, fault, under=("server-crash",), **said)[0] is Met.MET
    met, reason = delivery(run, fault, under=("server-crash", "loss"), **said)
    assert (met, reason.startswith("no fault bit as loss")) == (Met.INCONCLUSIVE, True)


# Properties


@pytest.mark.parametrize(
    ("untried", "met"), [((), Met.INCONCLUSIVE), (("complete",), Met.INCONCLUSIVE), (("once",), Met.MET)]
)
def test_a_lost_request_offers_no_repeat(untried: tuple[str, ...], met: Met) -> None:
    run = request_lost(Run())
    assert delivery(run, DROP_REQUEST, holds="at-most-once", under=("loss",), untried=untried)[0] is met


def test_what_lacks_is_told_by_property_and_model_with_what_to_write() -> None:
    _, reason = delivery(reply_copied(Run()), REPLY_COPIED, holds="exactly-once", under=("duplication",))
    assert reason == (
        "not exercised: complete under duplication, since no operation offered repeat-while-executing; once under "
        "duplication, since no operation offered repeat-while-executing or repeat-after-commit; expected such an "
        "operation, or untried: [complete, once]"
    )


def test_maybe_needs_only_the_bite() -> None:
    run = Run().invoke(1).send(1).decide("request", 1, act="drop", rule=0).info(1).healed(2)
    assert delivery(run, DROP_REQUEST, semantics="maybe", holds="maybe", under=("loss",)) == (Met.MET, "")


def test_a_repeat_under_one_model_is_none_under_another() -> None:
    run, faults = lost_and_copied(Run()), (DROP_REQUEST, COPY_OF_2)
    assert delivery(run, *faults, holds="at-most-once", under=("duplication",))[0] is Met.MET
    met, reason = delivery(run, *faults, holds="at-most-once", under=("duplication", "loss"))
    assert met is Met.INCONCLUSIVE
    assert "once under loss, since no operation offered repeat-after-commit; expected" in reason
    assert "once under duplication" not in reason


def test_what_is_untried_is_told_and_so_is_what_was_not() -> None:
    judgement = judged(
        lost_and_copied(Run()), DROP_REQUEST, COPY_OF_2, holds="at-most-once", under=("loss", "duplication"),
        untried=("complete", "once"),
    )  # fmt: skip
    assert verdict(judgement).verdict is Met.MET
    assert judgement.untried == (
        Untried("once", "loss", exercised=False),
        Untried("once", "duplication", exercised=True),
    )
    assert judgement.models == {
        "loss": {"bitten": 1, "request-unseen": 1},
        "duplication": {"bitten": 1, "repeat-after-commit": 1},
    }


def test_what_is_untried_is_violated_all_the_same() -> None:
    run = reply_lost_executed_again(Run())
    assert delivery(run, DROP_REPLY, holds="at-most-once", under=("loss",), untried=("once",))[0] is Met.UNMET


def test_a_copy_while_executing_exercises_both_properties() -> None:
    run = joined(Run().hello())
    assert delivery(run, COPY, semantics="exactly-once", holds="exactly-once", under=("duplication",))[0] is Met.MET


# Violations


def two_violations(run: Run) -> Run:
    """Operation 1 runs twice, as the scenario says; operation 2, which is open meanwhile, runs twice too."""
    run.invoke(1).invoke(2).send(1).send(2).decide("request", 1).decide("request", 2).receive(2).execute(2)
    run.receive(1).execute(1)
    run.effect(1)
    run.effect(2)
    run.failpoint("after-commit", 1).upstream(False).end(1).serve().upstream(True)
    run.send(1, 2, connection=2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, 3).ok(1, 3)
    run.send(2, 2, connection=2).decide("request", 2, 2).run(2, 2, first=1).decide("reply", 2, 2).reply(2, 2, 4)
    return run.ok(2, 4).healed(3)


def test_a_violation_of_an_operation_that_the_fault_only_caught_is_unmet() -> None:
    met, reason = delivery(
        two_violations(Run()), kill("after-commit"), violated="at-most-once", under=("server-crash",),
        witness=Outcome(client="ok", executions="2"),
    )  # fmt: skip
    assert met is Met.UNMET
    assert reason.startswith(f"violated by another witness: operation 2 of client {CLIENT}: it was not bitten: it was")


def test_so_is_one_of_another_shape_beside_a_fitting_one() -> None:
    fault = Drop(drop="reply", link=LINK, operations=(1, 3))
    run = Run().invoke(1).send(1).decide("request", 1).run(1).decide("reply", 1, act="drop", rule=0)
    run.send(1, 2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, run.total).ok(1, run.total)
    run.invoke(3).send(3).decide("request", 3).run(3).decide("reply", 3, act="drop", rule=0)
    run.send(3, 2).decide("request", 3, 2).run(3, 2).run(3, 2).decide("reply", 3, 2).reply(3, 2, run.total)
    run.ok(3, run.total).healed(4)
    said = {"violated": "at-most-once", "under": ("loss",)}
    assert delivery(run, fault, **said, witness=Outcome(client="ok", executions=">=2"))[0] is Met.MET
    met, reason = delivery(run, fault, **said, witness=Outcome(client="ok", executions="2"))
    assert met is Met.UNMET
    assert "operation 3 of client" in reason
    assert "client ok, executions 3; expected client ok, executions 2" in reason
