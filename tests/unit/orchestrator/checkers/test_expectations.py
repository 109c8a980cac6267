"""Judging a whole run: levels, replies, and expectations in the order that decides between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from history_builder import CLIENT, Run, cell, fitted
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import (
    COPY,
    DROP_REPLY,
    DROP_REQUEST,
    after_trim,
    crash_after_commit,
    crash_before_commit,
    joined,
    kill,
    reply_lost,
    reply_lost_executed_again,
    request_lost,
)

from chaos.faults.fault import Fault
from chaos.faults.messages import Duplicate
from nodes.wire.header import Status, client_number
from nodes.wire.record import Kind
from orchestrator.checkers import expect, views
from orchestrator.checkers.executions import allows
from orchestrator.checkers.expect import judge
from orchestrator.checkers.properties import once, reference
from orchestrator.checkers.verdict import ExpectationVerdict, Judgement, Met, Outcome, PropertyVerdict, Verdict
from orchestrator.scenario.cell import Delivery, Expect
from orchestrator.scenario.cell import Outcome as Expected

OK_ONCE = Expected(client="ok", executions="1")
FIRST = (CLIENT, 1)


def judged(run: Run, *faults: Fault, semantics: str = "at-most-once", **wanted: Any) -> Judgement:
    history = run.history()
    return judge(fitted(cell(semantics, faults, expect=Expect(**wanted)), history), history)


def holds(level: str, *under: str) -> Delivery:
    return Delivery(holds=level, under=under)  # type: ignore[arg-type]


def violated(level: str, *under: str, **witness: str) -> Delivery:
    expected = Expected(**witness) if witness else None  # type: ignore[arg-type]
    return Delivery(violated=level, under=under, witness=expected)  # type: ignore[arg-type]


def expectation(judgement: Judgement, name: str) -> ExpectationVerdict:
    return next(found for found in judgement.expectations if found.name == name)


def finding(judgement: Judgement, name: str) -> PropertyVerdict:
    return next(found for found in judgement.properties if found.name == name)


def test_a_row_of_the_table_is_met_as_a_whole() -> None:
    wanted = {
        "bitten": Expected(client="ok", executions="1", status="cached"),
        "others": OK_ONCE,
        "seen": ("reply-unseen",),
        "delivery": holds("at-most-once", "loss"),
    }
    judgement = judged(reply_lost(Run().hello()), DROP_REPLY, **wanted)
    assert {found.name: found.verdict for found in judgement.expectations} == dict.fromkeys(
        ("faults", "load", "explained", "bitten", "others", "seen", "delivery", "valid", "replies", "reference"),
        Met.MET,
    )
    assert (judgement.bitten, judgement.missed, judgement.caught, judgement.late, judgement.others) == (1, 0, 0, 0, 1)
    assert judgement.outcomes == (Outcome("ok", 1, "cached"),)
    assert judgement.opportunities == {"reply-unseen": 1, "repeat-after-commit": 1}


@pytest.mark.parametrize(
    ("story", "fault", "status"),
    [
        (joined, COPY, "joined"),
        (after_trim, Duplicate(duplicate="request", link=COPY.link, operations=(1,), copy="after-trim"), "stale"),
        (reply_lost, DROP_REPLY, "cached"),
        (request_lost, DROP_REQUEST, "executed"),
    ],
)
def test_the_status_of_a_repeat_is_looked_for_in_the_servers_journal(
    story: Callable[[Run], Run], fault: Fault, status: Any
) -> None:
    wanted = Expected(client="ok", executions="1", status=status)
    assert expectation(judged(story(Run()), fault, bitten=wanted), "bitten").verdict is Met.MET
    other = Expected(client="ok", executions="1", status="refused")
    unmet = expectation(judged(story(Run()), fault, bitten=other), "bitten")
    assert (unmet.verdict, unmet.witness) == (Met.UNMET, FIRST)


def test_another_outcome_than_expected_is_unmet_with_its_witness() -> None:
    judgement = judged(reply_lost_executed_again(Run()), DROP_REPLY, bitten=OK_ONCE)
    found = expectation(judgement, "bitten")
    assert found.verdict is Met.UNMET
    assert found.reason == ("operation 1 of client 10101: client ok, executions 2; expected client ok, executions 1")


# Levels


@pytest.mark.parametrize(
    ("story", "fault", "level", "model", "verdict"),
    [
        (reply_lost, DROP_REPLY, "at-most-once", "loss", Met.MET),
        (request_lost, DROP_REQUEST, "at-least-once", "loss", Met.MET),
        (reply_lost_executed_again, DROP_REPLY, "at-least-once", "loss", Met.MET),
        (reply_lost_executed_again, DROP_REPLY, "at-most-once", "loss", Met.UNMET),
        (crash_after_commit, kill("after-commit"), "exactly-once", "server-crash", Met.UNMET),
        (crash_before_commit, kill("before-commit"), "exactly-once", "server-crash", Met.MET),
    ],
)
def test_levels_are_refuted_or_not(
    story: Callable[[Run], Run], fault: Fault, level: str, model: str, verdict: Met
) -> None:
    judgement = judged(story(Run()), fault, delivery=holds(level, model))
    assert expectation(judgement, "delivery").verdict is verdict


def test_a_violation_is_unmet_though_the_fault_did_not_bite() -> None:
    run = Run().invoke(1).send(1).decide("request", 1).run(1).send(1, 2).decide("request", 1, 2).run(1, 2)
    judgement = judged(run.reply(1, 2, 2).ok(1, 2).healed(2), DROP_REQUEST, delivery=holds("at-most-once", "loss"))
    assert expectation(judgement, "faults").verdict is Met.INCONCLUSIVE
    assert expectation(judgement, "delivery").verdict is Met.UNMET


def test_a_fault_that_did_not_bite_leaves_everything_about_it_open() -> None:
    wanted = {"bitten": OK_ONCE, "seen": ("request-unseen",), "delivery": holds("at-most-once", "loss")}
    judgement = judged(Run().call(1).healed(2), DROP_REQUEST, **wanted)
    for name in ("faults", "bitten", "seen", "delivery"):
        found = expectation(judgement, name)
        assert found.verdict is Met.INCONCLUSIVE
        assert found.reason.startswith("fault 1 (drop) did not bite: it names none of the 2 messages")


def test_a_level_under_a_model_that_nothing_brought_is_inconclusive() -> None:
    judgement = judged(Run().call(1).healed(2), delivery=holds("at-most-once", "loss"))
    found = expectation(judgement, "delivery")
    assert found.verdict is Met.INCONCLUSIVE
    assert found.reason == "no fault bit as loss: no bite was of any model; expected `under` to name what bites"
    assert finding(judgement, "once").verdict is Verdict.NOT_EXERCISED


def test_an_opportunity_that_a_bitten_operation_did_not_offer_is_inconclusive() -> None:
    found = expectation(judged(request_lost(Run()), DROP_REQUEST, seen=("reply-unseen",)), "seen")
    assert (found.verdict, found.witness) == (Met.INCONCLUSIVE, FIRST)


def test_more_than_a_tenth_late_is_inconclusive() -> None:
    run = reply_lost(Run()).invoke(3).send(3).decide("request", 3).run(3)
    run.send(3, 2).decide("request", 3, 2).reply(3, 1, 3).ok(3, 3)
    judgement = judged(run, DROP_REPLY, delivery=holds("at-most-once", "loss"))
    assert judgement.late == 1
    assert expectation(judgement, "delivery").verdict is Met.INCONCLUSIVE


# Expected violations


def test_an_expected_violation_needs_its_bitten_witness() -> None:
    wanted = violated("at-most-once", "server-crash", client="ok", executions="2")
    judgement = judged(crash_after_commit(Run()), kill("after-commit"), delivery=wanted)
    found = expectation(judgement, "delivery")
    assert (found.verdict, found.witness) == (Met.MET, FIRST)
    assert finding(judgement, "once").witness == FIRST


def test_an_expected_violation_that_is_absent_is_unmet() -> None:
    judgement = judged(reply_lost(Run()), DROP_REPLY, delivery=violated("at-most-once", "loss"))
    assert expectation(judgement, "delivery").reason == "at-most-once was to be violated, and holds"


def test_a_witness_of_another_shape_is_unmet() -> None:
    wanted = violated("at-most-once", "server-crash", client="info", executions="2")
    found = expectation(judged(crash_after_commit(Run()), kill("after-commit"), delivery=wanted), "delivery")
    assert found.verdict is Met.UNMET
    assert "client ok, executions 2; expected client info, executions 2" in found.reason


def test_a_violation_of_an_operation_that_no_fault_touched_is_unmet() -> None:
    run = Run().invoke(3).send(3).decide("request", 3).run(3).run(3).reply(3, 1, 1).ok(3, 1)
    wanted = violated("at-most-once", "loss", client="ok", executions="2")
    found = expectation(judged(reply_lost_executed_again(run), DROP_REPLY, delivery=wanted), "delivery")
    assert (found.verdict, found.witness) == (Met.UNMET, (CLIENT, 3))
    assert "no fault touched it" in found.reason


def test_an_expected_violation_without_a_bite_is_inconclusive() -> None:
    wanted = violated("at-most-once", "loss", client="ok", executions="2")
    assert (
        expectation(judged(Run().call(1).healed(2), DROP_REPLY, delivery=wanted), "delivery").verdict
        is Met.INCONCLUSIVE
    )


# Others


def test_others_need_one_after_heal_and_the_outcome() -> None:
    assert expectation(judged(Run().call(1).healed(2), others=OK_ONCE), "others").verdict is Met.MET
    early = judged(Run().call(1).phase("heal"), others=OK_ONCE)
    assert expectation(early, "others").reason == "no other operation was invoked after heal"
    twice = Run().invoke(1).send(1).run(1).run(1).reply(1, 1, 1).ok(1, 1).healed(2)
    assert expectation(judged(twice, others=OK_ONCE), "others").verdict is Met.UNMET


# Validity, completeness, replies


def valid(run: Run) -> str:
    return finding(judged(run), "valid").note


def test_validity_is_refuted_by_each_of_its_parts() -> None:
    assert valid(Run().call(1)) == ""
    assert "it has no effect" in valid(Run().invoke(1).send(1).reply(1, 1, 1).ok(1, 1))
    assert "told that it failed, and it was executed" in valid(Run().invoke(1).send(1).run(1).fail(1))
    assert "nobody invoked it" in valid(Run().run(1))
    assert "the result of none of its 1 effects" in valid(Run().invoke(1).send(1).run(1).reply(1, 1, 9).ok(1, 9))
    assert "executed before it was invoked" in valid(Run().run(1).invoke(1).send(1).reply(1, 1, 1).ok(1, 1))


def test_completeness_is_refuted_by_any_end_but_ok_in_time() -> None:
    spent = Run().invoke(1).send(1).run(1).info(1)
    assert finding(judged(spent), "complete").note == "it ended info (no reply)"
    late = Run().invoke(1).send(1).run(1).phase("drain").reply(1, 1, 1).ok(1, 1)
    assert finding(judged(late), "complete").note == "it ended ok only after the end of settling"
    killed = Run().invoke(1).send(1).note("orchestrator", 1, Kind.REAPED, node="client", epoch=1, signal=9, code=0)
    assert finding(judged(killed), "complete").witness is None


def test_echo_is_not_judged_by_delivery() -> None:
    run = Run(f="echo").invoke(1).send(1).receive(1).execute(1).answer(1, 1, 1).reply(1, 1, 1).ok(1, 1).stop()
    judgement = judge(cell(service="echo", workload="echo"), run.history())
    assert [found.name for found in judgement.properties if found.witness] == []


def replies(run: Run) -> str:
    return expectation(judged(run), "replies").reason


def test_replies_must_say_what_happened() -> None:
    assert replies(Run().call(1)) == ""
    assert "though attempt 1 was sent" in replies(Run().invoke(1).send(1).fail(1))
    assert "which its first reply did not carry" in replies(Run().invoke(1).send(1).run(1).ok(1, 1))
    early = Run().invoke(1).send(1).run(1).ok(1, 1).reply(1, 1, 1)
    assert "its client was told 1 before the reply came that carried it" in replies(early)
    other = client_number(1, 2, 1)
    crossed = Run().call(1).invoke(1, other).send(1, client=other).run(1, client=other).reply(1, 1, 1, client=other)
    assert "it is that of operation 1 of client 10101" in replies(crossed.ok(1, 1, client=other))


def test_two_clients_must_not_get_one_effect() -> None:
    restarted = client_number(1, 1, 2)
    run = Run().call(1).invoke(1, restarted).send(1, client=restarted).reply(1, 1, 1, client=restarted)
    assert "which another client got too" in replies(run.ok(1, 1, client=restarted))


def test_a_server_that_the_reference_convicts_is_unmet_without_being_asked_about() -> None:
    found = expectation(judged(Run().call(1).trim(2).healed(2)), "reference")
    assert (found.verdict, found.witness) == (Met.UNMET, FIRST)


# Failing checkers


def test_a_checker_that_crashes_knows_nothing_and_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(reference, "check", crash)
    monkeypatch.setattr(once, "check", crash)
    judgement = judged(reply_lost(Run()), DROP_REPLY, delivery=holds("at-most-once", "loss"))
    assert finding(judgement, "reference").verdict is Verdict.UNKNOWN
    crash = finding(judgement, "once").note
    assert crash.startswith("a checker crashed: ZeroDivisionError: oops (")
    assert crash in judgement.gate
    assert expectation(judgement, "delivery").verdict is Met.INCONCLUSIVE
    assert expectation(judgement, "reference").verdict is Met.INCONCLUSIVE
    assert finding(judgement, "replies").verdict is Verdict.HOLDS


def test_where_judging_crashes_one_stands_for_all_expectations(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyError("act")

    monkeypatch.setattr(expect, "judge_all", crash)
    (found,) = judged(reply_lost(Run()), DROP_REPLY).expectations
    assert (found.name, found.verdict) == ("expectations", Met.INCONCLUSIVE)
    assert "KeyError: 'act'" in found.reason


def test_without_knowing_what_was_bitten_nothing_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyError("act")

    monkeypatch.setattr(views, "bite", crash)
    judgement = judged(reply_lost(Run()), DROP_REPLY, others=OK_ONCE, delivery=holds("at-most-once", "loss"))
    assert {found.name for found in judgement.expectations if found.verdict is Met.MET} == {
        "load",
        "valid",
        "replies",
        "reference",
    }
    for name in ("explained", "others"):
        unknown = expectation(judgement, name)
        assert unknown.verdict is Met.INCONCLUSIVE
        assert "KeyError: 'act'" in unknown.reason
    assert finding(judgement, "once").verdict is Verdict.UNKNOWN


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_whatever_a_history_holds_it_is_judged(data: st.DataObject) -> None:
    history = data.draw(st.sampled_from([reply_lost, joined, crash_after_commit]))(Run()).history()
    events = list(history.events)
    for place in data.draw(st.lists(st.integers(0, len(events) - 1), max_size=6)):
        change = data.draw(st.sampled_from([{"detail": {}}, {"seq": 0}, {"kind": Kind.INVOKE}, {"kind": Kind.ACT}]))
        events[place] = events[place]._replace(**change)
    wanted = Expect(bitten=OK_ONCE, others=OK_ONCE, seen=("reply-unseen",), delivery=holds("exactly-once", "loss"))
    judgement = judge(
        cell(faults=(DROP_REPLY, kill("after-commit")), expect=wanted), history._replace(events=tuple(events))
    )
    assert [found.name for found in judgement.properties] == ["valid", "complete", "once", "replies", "reference"]
    assert judgement.expectations


def test_evidence_that_cannot_be_trusted_is_said() -> None:
    run = Run().call(1)
    run.rows["server.71"].clear()
    assert any("which is in no ledger" in problem for problem in judged(run).gate)


@pytest.mark.parametrize(
    ("allowed", "yes", "no"),
    [("1", 1, 2), (">=2", 3, 1), ("<=1", 0, 2), (" > 1 ", 2, 1), ("=0", 0, 1), ("==2", 2, 1), ("<2", 1, 2)],
)
def test_numbers_of_executions(allowed: str, yes: int, no: int) -> None:
    assert allows(allowed, yes)
    assert not allows(allowed, no)


def test_what_is_no_number_of_executions_is_refused() -> None:
    with pytest.raises(ValueError, match='expected one such as "1" or ">=2"'):
        allows("about two", 2)


def test_refused_is_what_the_repeat_was_answered() -> None:
    run = Run().hello().invoke(1).send(1).decide("request", 1).receive(1, server=1001).execute(1)
    run.effect(1)
    run.failpoint("after-commit", 1).upstream(False).end(1).serve().upstream(True)
    run.send(1, 2, connection=2).decide("request", 1, 2).receive(1, 2, server=1001)
    run.answer(1, 2, None, Status.REFUSED).reply(1, 2, None, Status.REFUSED).info(1, "refused")
    run.hello().phase("heal").invoke(2).send(2).decide("request", 2).receive(2, server=1002).execute(2).commit(2)
    run.answer(2, 1, 2).reply(2, 1, 2).ok(2, 2).phase("drain").stop()
    wanted = Expected(client="info", executions="1", status="refused")
    delivered = holds("at-most-once", "server-crash")
    judgement = judged(
        run, kill("after-commit"), semantics="at-most-once-incarnation", bitten=wanted, delivery=delivered
    )
    assert {found.verdict for found in judgement.expectations} == {Met.MET}
    assert finding(judgement, "complete").verdict is Verdict.VIOLATED
