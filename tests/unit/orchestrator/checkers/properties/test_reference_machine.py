"""The reference machine acquits correct servers of every mechanism and convicts broken ones by the journal alone."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, MILLISECOND, STEP, Run, cell
from stories import STORIES, Story, reply_lost, reply_lost_executed_again

from nodes.rpc.mechanism import WINDOW
from nodes.wire.header import Status
from nodes.wire.record import Kind
from orchestrator.checkers.finding import Finding
from orchestrator.checkers.properties.reference import check
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index


def judged(run: Run, semantics: str = "at-most-once") -> Finding:
    return check(Views(cell(semantics), Index(run.history())))


def said(run: Run, semantics: str = "at-most-once") -> str:
    return "; ".join(violation.reason for violation in judged(run, semantics).violations)


@pytest.mark.parametrize("story", STORIES)
def test_a_correct_volatile_history_is_acquitted(story: Story) -> None:
    finding = judged(story(Run().hello()))
    assert finding.violations == ()
    assert finding.exercised


@pytest.mark.parametrize("semantics", ["maybe", "at-least-once"])
def test_without_a_filter_every_copy_is_executed(semantics: str) -> None:
    assert said(reply_lost_executed_again(Run()), semantics) == ""
    assert "answered cached" in said(reply_lost(Run()), semantics)


def test_a_second_execution_is_convicted() -> None:
    assert "attempt 2 of operation 1" in said(reply_lost_executed_again(Run()))
    assert "was executed; legal was cached" in said(reply_lost_executed_again(Run()))


def test_a_copy_that_is_executed_while_the_operation_executes_is_convicted() -> None:
    run = Run().receive(1).execute(1).receive(1).execute(1).commit(1).commit(1).answer(1, 1, 1).answer(1, 1, 2)
    assert "legal was joined" in said(run)
    assert said(run, "at-least-once") == ""


def test_forgetting_too_early_is_convicted_without_a_repeat() -> None:
    finding = judged(trimming().run(1).trim(2))
    assert [violation.operation for violation in finding.violations] == [(CLIENT, 1)]
    assert "forgot below 2; the client's first incomplete was 1" in finding.violations[0].reason


def test_forgetting_what_was_acknowledged_is_acquitted() -> None:
    assert said(trimming().run(1).run(2)) == ""


def trimming() -> Run:
    run = Run()
    run.trimming = True
    return run


def test_forgetting_something_else_than_was_acknowledged_is_convicted() -> None:
    run = trimming().run(1)
    run.trimming = False
    assert "before it the server did not forget below 2" in said(run.run(2))
    run = trimming().run(1)
    run.trimming = False
    run.receive(3, first=3).trim(2).execute(3).commit(3).answer(3, 1, 2)
    assert said(run) == "the server forgot below 2; the client's first incomplete was 3"
    run = trimming().run(1).trim(1)
    assert said(run) == "the server forgot below 1, of which it remembered nothing"


def test_a_high_water_filter_is_convicted() -> None:
    run = Run().run(2, first=1).receive(1, first=1).answer(1, 1, None, Status.STALE)
    assert "answered stale; legal was executed" in said(run)


@pytest.mark.parametrize(("seq", "legal"), [(2, False), (WINDOW, False), (WINDOW + 1, True)])
def test_busy_is_legal_of_a_client_that_has_so_many_open_and_of_no_other(seq: int, legal: bool) -> None:
    run = Run().invoke(1).send(1).receive(1).execute(1).invoke(seq).send(seq).receive(seq, first=1)
    run.answer(seq, 1, None, Status.BUSY)
    convicted = "was answered busy; legal was executed" in said(run.commit(1).answer(1, 1, 1))
    assert convicted is not legal


def test_an_operation_below_the_trim_mark_is_never_executed() -> None:
    assert "legal was stale" in said(Run().run(1).run(2, first=2).run(1, first=1))


def test_an_answer_before_the_commit_is_convicted() -> None:
    assert "answered before its commit" in said(Run().receive(1).execute(1).answer(1, 1, 1).commit(1))


def test_an_answer_with_another_result_is_convicted() -> None:
    assert "with another result" in said(Run().receive(1).execute(1).commit(1).answer(1, 1, 9))
    cached = Run().run(1).receive(1, 2).answer(1, 2, 9, Status.CACHED)
    assert "a result of no commit" in said(cached)


def test_an_answer_goes_where_its_copy_came_from() -> None:
    assert said(Run().receive(1).execute(1).commit(1).answer(1, 1, 1, connection=1)) == ""
    strayed = Run().receive(1).execute(1).commit(1).answer(1, 1, 1, connection=2)
    assert "answered over a connection that it had not come by" in said(strayed)
    cached = Run().run(1).receive(1, 2).answer(1, 2, 1, Status.CACHED, connection=2)
    assert "answered over a connection that it had not come by" in said(cached)


def test_of_two_copies_of_one_attempt_each_has_an_answer_of_its_own() -> None:
    run = Run().receive(1).execute(1).server(Kind.RECEIVE, 1, 1, CLIENT, connection=2, first=1, link="client -> server")
    run.execute(1).commit(1).commit(1).answer(1, 1, 1, connection=2).answer(1, 1, 2, connection=1)
    assert said(run, "at-least-once") == ""


def test_of_two_copies_of_one_attempt_that_is_answered_for_which_the_answer_is_legal() -> None:
    """The first came while the operation was executed, the second when it was done."""
    run = Run().receive(1).execute(1).receive(1, 2).commit(1).answer(1, 1, 1).receive(1, 2)
    assert said(run.answer(1, 2, 1, Status.CACHED).answer(1, 2, 1, Status.JOINED)) == ""


def test_a_copy_that_was_never_answered_is_convicted_once_the_server_stopped() -> None:
    run = Run().run(1).receive(1, 2)
    assert said(run) == ""
    assert "attempt 2 of operation 1 of client 10101 was received and never answered" in said(run.stop())


def test_an_execution_that_was_never_answered_is_convicted_once_the_server_stopped() -> None:
    assert "executed and never answered" in said(Run().receive(1).execute(1).commit(1).stop())


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        (Kind.EXECUTE, {"f": "add"}, "executed and had not been received"),
        (Kind.COMMIT, {"n": 0, "result": 1}, "committed and not executed before"),
        (Kind.ANSWER, {"status": 0, "value": 1}, "answered executed and was not"),
        (Kind.ANSWER, {"status": 1, "value": 1}, "answered cached and had not been received"),
    ],
)
def test_what_comes_out_of_nothing_is_convicted(kind: Kind, detail: dict[str, object], expected: str) -> None:
    run = Run().receive(1).execute(1).commit(1).answer(1, 1, 1)
    assert expected in said(run.server(kind, 1, 2, CLIENT, **detail))


def test_an_incarnation_mismatch_must_be_refused() -> None:
    right = Run().hello().receive(1, server=1001).execute(1).commit(1).answer(1, 1, 1)
    assert said(right, "at-most-once-incarnation") == ""
    refused = Run().hello().receive(1, server=999).answer(1, 1, None, Status.REFUSED)
    assert said(refused, "at-most-once-incarnation") == ""
    ignored = Run().hello().receive(1, server=999).execute(1).commit(1).answer(1, 1, 1)
    assert "was executed; legal was refused" in said(ignored, "at-most-once-incarnation")


def test_a_client_that_never_said_hello_must_be_refused() -> None:
    run = Run().receive(1, server=1001).execute(1).commit(1).answer(1, 1, 1)
    assert "legal was refused" in said(run, "at-most-once-incarnation")
    assert said(run) == ""


def test_a_refusal_without_a_reason_is_convicted() -> None:
    run = Run().hello().receive(1, server=1001).answer(1, 1, None, Status.REFUSED)
    assert "answered refused" in said(run, "at-most-once-incarnation")
    assert "answered refused" in said(Run().hello().receive(1).answer(1, 1, None, Status.REFUSED))


def crashed(run: Run) -> Run:
    """Exactly-once: committed, died, and the next epoch is asked again."""
    run.hello().receive(1, server=71).execute(1)
    run.effect(1)
    return run.failpoint("after-commit", 1).serve().receive(1, 2, server=71)


def test_exactly_once_answers_from_the_record_of_an_earlier_epoch() -> None:
    assert said(crashed(Run()).answer(1, 2, 1, Status.CACHED), "exactly-once") == ""
    again = crashed(Run()).execute(1, 2).commit(1, 2).answer(1, 2, 2)
    assert "was executed; legal was cached" in said(again, "exactly-once")


def test_exactly_once_executes_what_an_earlier_epoch_did_not_commit() -> None:
    run = Run().hello().receive(1, server=71).execute(1).failpoint("before-commit", 1).serve().receive(1, 2, server=71)
    assert said(run.execute(1, 2).commit(1, 2).answer(1, 2, 1), "exactly-once") == ""
    recorded = Run().hello().receive(1, server=71).execute(1).failpoint("before-commit", 1).serve()
    recorded.receive(1, 2, server=71).answer(1, 2, 1, Status.CACHED)
    assert "answered cached" in said(recorded, "exactly-once")


def test_exactly_once_refuses_after_its_history_was_lost() -> None:
    lost = crashed(Run(histories=(71, 72)))
    assert said(lost.answer(1, 2, None, Status.REFUSED), "exactly-once") == ""
    accepted = crashed(Run(histories=(71, 72))).execute(1, 2).commit(1, 2).answer(1, 2, 1)
    assert "legal was refused" in said(accepted, "exactly-once")


def test_a_crash_leaves_open_whether_a_hello_and_a_mark_were_kept() -> None:
    run = Run().receive(0).failpoint("received", 0).serve()
    assert said(run.receive(1, server=71).answer(1, 1, None, Status.REFUSED), "exactly-once") == ""
    for status, value in ((Status.CACHED, 1), (Status.STALE, None)):
        run = Run().hello().receive(1, server=71).execute(1).commit(1).answer(1, 1, 1)
        run.receive(2, first=2, server=71).failpoint("received", 2).serve()
        assert said(run.receive(1, 2, first=1, server=71).answer(1, 2, value, status), "exactly-once") == ""


def test_after_a_crash_what_is_forgotten_is_what_the_last_copy_acknowledged() -> None:
    """An earlier process knew of it, so it is not due; but nothing else can be forgotten either."""

    def crashed_after(first: int) -> Run:
        run = Run().hello().receive(1, server=71).execute(1).commit(1).answer(1, 1, 1)
        return run.receive(3, first=first, server=71).failpoint("received", 3).serve().receive(3, 2, first, server=71)

    assert said(crashed_after(3).trim(3), "exactly-once") == ""
    assert (
        said(crashed_after(3).trim(2), "exactly-once")
        == "the server forgot below 2; the client's first incomplete was 3"
    )
    assert "forgot below 2" in said(
        Run().hello().receive(1, server=71).failpoint("received", 1).serve().trim(2), "exactly-once"
    )


def test_what_a_crash_left_open_of_a_client_its_next_answer_tells() -> None:
    def asked() -> Run:
        return Run().receive(0).failpoint("received", 0).serve().receive(1, server=71)

    refused = asked().answer(1, 1, None, Status.REFUSED).receive(1, 2, server=71)
    assert said(refused, "exactly-once") == ""
    assert "was executed; legal was refused" in said(refused.execute(1, 2).commit(1, 2).answer(1, 2, 1), "exactly-once")
    executed = asked().execute(1).commit(1).answer(1, 1, 1)
    assert said(executed, "exactly-once") == ""
    late = executed.receive(2, server=71).answer(2, 1, None, Status.REFUSED)
    assert "was answered refused; legal was executed" in said(late, "exactly-once")


def test_who_never_forgets_is_convicted_unless_its_version_never_said_so() -> None:
    run = Run().receive(1).execute(1).commit(1).answer(1, 1, 1)
    history = run.history()
    older, newer = (
        check(Views(cell("at-most-once"), Index(history._replace(plan=plan)))) for plan in ("", "its digest")
    )
    assert older.violations == ()
    assert [violation.reason for violation in newer.violations] == [
        "epoch 1: attempt 1 of operation 1 of client 10101: before it the server did not forget below 1"
    ]


def test_echo_needs_no_commit() -> None:
    run = Run(f="echo").receive(1).execute(1).answer(1, 1, 1).receive(1, 2).answer(1, 2, 1, Status.CACHED)
    assert said(run.stop()) == ""


def slow(milliseconds: float, *, capped: bool) -> str:
    """The procedure takes 100 ms; the run's draining ended so long after a call was received."""
    made = cell()
    server = made.servers["server"].model_copy(update={"yields": 100})
    run = Run().receive(1).execute(1).wait(milliseconds)
    run = (run.phase("drain-capped") if capped else run).stop()
    found = check(Views(made.model_copy(update={"nodes": {**made.nodes, "server": server}}), Index(run.history())))
    return "; ".join(violation.reason for violation in found.violations)


def test_what_a_cap_ended_in_the_midst_of_its_procedure_is_owed_no_answer() -> None:
    assert slow(90, capped=True) == ""
    assert "executed and never answered" in slow(90, capped=False)
    assert "executed and never answered" in slow(110, capped=True)


@pytest.mark.parametrize("last", ["received", "executed"])
@pytest.mark.parametrize("before", [0, 1])
def test_what_came_before_the_last_of_its_time_is_owed_an_answer(last: str, before: int) -> None:
    """The procedure takes 100 ms; nanoseconds before the last 100 ms of the process in which it came so far."""
    made = cell()
    server = made.servers["server"].model_copy(update={"yields": 100})
    run = Run().receive(1) if last == "received" else Run().receive(1).execute(1)
    came = run.time
    run.phase("drain-capped")
    run.time = came + 100 * MILLISECOND + before - STEP
    history = run.stop().unfinished()
    found = check(Views(made.model_copy(update={"nodes": {**made.nodes, "server": server}}), Index(history)))
    assert [f"{last} and never answered" in violation.reason for violation in found.violations] == [True] * before


def served(run: Run, seq: int) -> Run:
    run.receive(seq).execute(seq).commit(seq)
    return run.answer(seq, value=run.total)


def test_rows_that_two_processes_wrote_beside_one_another_are_told_as_such() -> None:
    run = served(Run().hello(), 1).serve()
    run.receive(2).execute(2).commit(2)
    run.epoch, run.total = 1, 1  # the first process goes on, and knows nothing of the second one's update
    run.receive(3).execute(3).commit(3)
    assert "was written after a later epoch" in said(run)


def test_what_it_did_not_step_through_does_not_count() -> None:
    run = served(Run().hello(), 1).stop()
    assert judged(run).counts == {"copies": 2, "executions": 1, "answers": 2}
    del run.journals["server", 1][0]
    assert not judged(run).exercised, "a process that does not say to be a server"
