"""Each rule of the evidence gate stops a history that breaks it, and lets a sound one through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from history_builder import Run, cell, fitted

from nodes.wire.record import Kind
from orchestrator.checkers.evidence import OF_CALLS, problems, unchecked
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.history.merged import History, merge


def gate(history: History, **options: Any) -> str:
    return "; ".join(problems(Views(fitted(cell(**options), history), Index(history)), OF_CALLS))


def test_a_sound_run_passes() -> None:
    assert gate(Run().call(1).call(2).healed(3).history()) == ""


def test_a_crash_between_commit_and_its_record_passes() -> None:
    run = Run().invoke(1).send(1).decide("request", 1).receive(1).execute(1)
    run.effect(1)
    run.failpoint("after-commit", 1).serve().unanswered(1).healed(2)
    assert gate(run.history()) == ""


def _without_first_row(run: Run) -> None:
    del run.rows["server.71"][0]


def _unexecuted_row(run: Run) -> None:
    run.effect(9)


def _lost_commit(run: Run) -> None:
    del run.rows["server.71"][-1]


def _other_result(run: Run) -> None:
    *row, _ = run.rows["server.71"][0]
    run.rows["server.71"][0] = (*row, 99)  # type: ignore[assignment]


def _two_completions(run: Run) -> None:
    run.info(1)


def _no_invoke(run: Run) -> None:
    run.send(7)


def _late_invoke(run: Run) -> None:
    run.send(7).invoke(7)


def _skipped_open_operation(run: Run) -> None:
    run.invoke(8).invoke(9).send(9, first=9).send(8, first=8).info(8).info(9)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_without_first_row, "not numbered 1 to 2 (missing: [1])"),
        (_unexecuted_row, "is an effect of operation 9"),
        (_lost_commit, "which is in no ledger"),
        (_other_result, "differ in the result"),
        (_two_completions, "journalled INVOKE, OK, INFO"),
        (_no_invoke, "never journalled its invoke"),
        (_late_invoke, "after sending it"),
        (_skipped_open_operation, "with 9 as its first incomplete number while operation 8 was open"),
    ],
)
def test_each_harm_is_noticed(harm: Callable[[Run], None], said: str) -> None:
    run = Run().call(1).call(2).healed(3)
    harm(run)
    assert said in gate(run.history())


def test_what_is_incomplete_may_be_said_too_low_or_not_at_all() -> None:
    run = Run().invoke(1).invoke(2).send(2, first=1).send(1, first=1).run(1).run(2, first=1)
    run.reply(1, 1, 1).ok(1, 1).send(2, 2, first=2).reply(2, 1, 2).ok(2, 2)
    run.invoke(3).send(3, first=1).invoke(4).send(4).unanswered(3).unanswered(4).healed(5)
    assert gate(run.history(), via="direct") == ""


def test_a_history_of_another_plan_is_noticed() -> None:
    history = Run().call(1).healed(2).history()
    for recorded, given, said in (("a", "b", "is of another plan"), ("a", "a", ""), ("", "b", ""), ("a", "", "")):
        views = Views(cell(), Index(history._replace(plan=recorded)), given)
        assert said in "; ".join(problems(views, OF_CALLS))
        assert any(line.startswith("plan") for line in unchecked(views)) == (not recorded or not given)


@pytest.mark.parametrize(("over", "said"), [({}, True), ({"connection": 1}, False)])
def test_answers_that_say_no_line_anywhere_are_told(over: dict[str, int], said: bool) -> None:
    run = Run().invoke(1).send(1).receive(1).execute(1).commit(1).answer(1, 1, 1, **over).reply(1, 1, 1).ok(1, 1)
    views = Views(cell(), Index(run.history()))
    assert any(line.startswith("lines of answers not checked") for line in unchecked(views)) == said


def test_a_run_that_was_interrupted_is_noticed() -> None:
    run = Run().call(1).phase("load").call(2).phase("interrupted")
    assert gate(run.unfinished()) == "the run did not reach its end; its last phase was interrupted"


def test_a_ledger_that_was_not_collected_is_noticed() -> None:
    history = Run().call(1).history()
    events = tuple(event for event in history.events if event.kind is not Kind.LEDGER)
    assert "no ledger of server was collected" in gate(history._replace(events=events))


def test_a_ledger_with_a_state_and_no_rows_is_noticed() -> None:
    run = Run().invoke(1).unanswered(1).stop()
    (ledger,) = run.ledgers()
    history = merge(run.ended().journals, [ledger._replace(state={"total": 0})])
    assert gate(history) == "ledger server.71: it has a state and no rows"
