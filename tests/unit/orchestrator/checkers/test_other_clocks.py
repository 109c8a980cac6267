"""Judged alike whatever clocks the hosts have; a violation is found where the clocks show it, and never made of their
error."""

from __future__ import annotations

import json

import pytest
from history_builder import CLIENT, STEP, Run, cell, fitted
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import STORIES, Story, request_lost

from nodes.wire.record import Kind
from orchestrator.checkers.caps import doubt
from orchestrator.checkers.evidence import OF_CALLS, problems
from orchestrator.checkers.expect import judge
from orchestrator.checkers.setting import Setting
from orchestrator.checkers.verdict import Judgement, Verdict
from orchestrator.checkers.views import Views
from orchestrator.history.clocks import Clock
from orchestrator.history.file import to_jsonl
from orchestrator.history.index import Index
from orchestrator.history.merged import History, merge
from orchestrator.report.closing import closing
from orchestrator.report.result import CellResult
from orchestrator.report.story import story
from orchestrator.report.told import Told

DAY = 86_400 * 10**9


def elsewhere(run: Run, ahead: int, error: int, wrong: int = 0, moved: str = "server") -> History:
    """The same run, with a node on a host whose clock is ahead, and estimated `wrong` nanoseconds off."""
    run.ended()
    journals = {}
    for (node, epoch), records in run.journals.items():
        if node == moved:
            start, *rest = (record._replace(time=record.time + ahead) for record in records)
            records = [start._replace(detail={**(start.detail or {}), "domain": "other"}), *rest]
        journals[node, epoch] = records
    return merge(journals, run.ledgers(), [Clock("other", ahead + wrong, error, "alpha")])


def gist(judgement: Judgement) -> tuple[object, ...]:
    """All that is judged, but for orders and times."""
    return (
        judgement.gate,
        judgement.bitten,
        judgement.outcomes,
        judgement.opportunities,
        {found.name: found.verdict for found in judgement.properties},
    )


def violated(judgement: Judgement) -> set[str]:
    return {found.name for found in judgement.properties if found.verdict is Verdict.VIOLATED}


@pytest.mark.parametrize("tell", STORIES, ids=lambda tell: tell.__name__)
def test_a_clock_that_is_a_day_ahead_changes_nothing(tell: Story) -> None:
    judged = fitted(cell(faults=STORIES[tell]), tell(Run()).history())
    assert gist(judge(judged, elsewhere(tell(Run()), DAY, 10))) == gist(judge(judged, tell(Run()).history()))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(list(STORIES)), st.integers(-DAY, DAY), st.integers(0, 5 * STEP), st.data())
def test_an_estimate_that_is_wrong_by_less_than_its_error_makes_no_violation_and_hides_none(
    tell: Story, ahead: int, error: int, data: st.DataObject
) -> None:
    history = elsewhere(tell(Run()), ahead, error, data.draw(st.integers(-error, error)))
    judged = fitted(cell(faults=STORIES[tell]), history)
    judgement = judge(judged, history)
    assert not problems(Views(judged, Index(history)), OF_CALLS)
    assert violated(judgement) == violated(judge(judged, tell(Run()).history()))


def executed_before_invoked(error: int) -> Judgement:
    """Operation 1 is executed two steps before its client invokes it; nobody journalled how it came to the server."""
    run = Run()
    run.execute(1).commit(1).invoke(1)
    run.send(1).answer(1, value=run.total).reply(1, value=run.total).ok(1, run.total)
    return judge(cell(), elsewhere(run.healed(2), DAY, error))


@pytest.mark.parametrize(("error", "known"), [(STEP // 4, True), (10 * STEP, False)])
def test_an_execution_before_its_invoke_is_convicted_only_where_the_clocks_know(error: int, known: bool) -> None:
    assert ("valid" in violated(executed_before_invoked(error))) is known


@pytest.mark.parametrize("straight", [True, False])
@pytest.mark.parametrize(("error", "tried"), [(STEP // 4, False), (100 * STEP, True)])
def test_a_call_behind_heal_was_not_tried_where_the_clocks_know(error: int, tried: bool, straight: bool) -> None:
    run = Run().phase("heal")
    history = elsewhere(run.call(1) if straight else run.invoke(1).send(1), DAY, error, moved="client")
    assert (doubt(Setting(cell(), Index(history))) == "") is tried


@pytest.mark.parametrize("straight", [True, False])
@pytest.mark.parametrize("error", [STEP // 4, 100 * STEP])
def test_a_call_before_heal_was_tried_whatever_the_clocks_know(error: int, straight: bool) -> None:
    run = Run().call(1) if straight else Run().invoke(1).send(1)
    history = elsewhere(run.phase("heal"), DAY, error, moved="client")
    assert doubt(Setting(cell(), Index(history))) == ""


def test_a_story_is_told_on_one_clock() -> None:
    lines = story(elsewhere(request_lost(Run()), DAY, 10), (CLIENT, 1))
    assert lines == story(request_lost(Run()).history(), (CLIENT, 1))
    assert any(Kind.EXECUTE.name in line for line in lines)


def test_lines_tell_the_time_of_the_events_clock_and_of_the_orchestrators() -> None:
    lines = [json.loads(line) for line in to_jsonl(elsewhere(request_lost(Run()), DAY, 10))]
    receive = next(line for line in lines if line["type"] == "receive")
    assert (receive["domain"], receive["time"] - receive["estimate"], receive["estimate_error"]) == ("other", DAY, 10)
    invoke = next(line for line in lines if line["type"] == "invoke")
    assert (invoke["time"], invoke["estimate_error"]) == (invoke["estimate"], 0)


def test_the_report_tells_each_clock_as_well_as_it_was_known_in_the_worst_cell() -> None:
    clocks = [Clock("other", DAY, error, "beta") for error in (170_000, 2_300_000, 90_000)]
    results = [CellResult(cell(), 1, 1.0, error="", clocks=(clock,)) for clock in clocks]
    lines = list(closing(Told(results), lambda path: History("real", ())))
    assert "  agent beta: +86400.000000 s, give or take 2.3 ms" in lines
    assert not [
        line
        for line in closing(Told([CellResult(cell(), 1, 1.0, error="")]), lambda path: History("real", ()))
        if "clock" in line
    ]
