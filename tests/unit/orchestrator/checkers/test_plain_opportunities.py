"""What is looked up of opportunities is what their plain definitions say, which look at everything each time."""

from __future__ import annotations

import pytest
from history_builder import Run, cell
from plain_histories import SEEDS, downs, killed_at, pauses, soup
from stories import STORIES

from orchestrator.checkers.opportunities import OPPORTUNITIES, RESULTS
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index, Trace
from orchestrator.history.merged import Event


def died_before_commit(index: Index, trace: Trace) -> bool:
    return any(
        index.killed(copy.life)
        and not any(effect.epoch <= copy.epoch for effect in trace.effects)
        and not any(answer.life == copy.life for answer in trace.answers)
        for copy in trace.receives
    )


def died_after_commit(index: Index, trace: Trace) -> bool:
    for effect in trace.effects:
        later = [copy for copy in trace.receives if copy.epoch > effect.epoch and copy.node == effect.node]
        died = killed_at(index, effect.life) is not None
        if died and later and all(later[0].order < reply.order for reply in trace.replies):
            return True
    return False


def repeat_while_executing(index: Index, trace: Trace) -> bool:
    return len(trace.receives) > 1 and any(
        copy.life == execute.life and execute.order < copy.order < _finished(index, trace, execute)
        for execute in trace.executes
        for copy in trace.receives
    )


def _finished(index: Index, trace: Trace, execute: Event) -> int:
    ends = [
        event.order
        for event in (trace.commits if trace.has_effect else trace.answers)
        if event.life == execute.life and event.attempt == execute.attempt and event.order > execute.order
    ]
    return min(ends, default=index.lives[execute.life][-1].order)


def repeat_after_commit(index: Index, trace: Trace) -> bool:
    return any(
        copy.life == commit.life and copy.order > commit.order for commit in trace.commits for copy in trace.receives
    )


def repeat_after_history_loss(index: Index, trace: Trace) -> bool:
    ids = index.histories
    return any(
        copy.node == effect.node and copy.epoch > effect.epoch and ids.get(copy.life) != ids.get(effect.life)
        for effect in trace.effects
        for copy in trace.receives
    )


def cut_while_open(index: Index, trace: Trace) -> bool:
    begun = {event.attempt: event.order for event in reversed(trace.attempts)}
    away = [outage for outage in (*downs(index), *pauses(index)) if outage.life[0] == "server"]
    return any(
        send.attempt > end.attempt and send.detail["connection"] != end.detail["connection"]
        for end in trace.ends
        if end.detail["error"] != "timeout"
        and not any(
            outage.begin < end.order and (end.order < outage.end or begun.get(end.attempt, end.order) < outage.begin)
            for outage in away
        )
        for send in trace.sends
    )


def reply_unseen(index: Index, trace: Trace) -> bool:
    arrived = {event.attempt for event in trace.replies if event.detail["status"] in RESULTS}
    return any(
        commit.attempt < send.attempt and commit.order < send.order and answer.attempt == commit.attempt
        for send in trace.sends
        if not any(attempt < send.attempt for attempt in arrived)
        for commit in trace.commits
        for answer in trace.answers
        if answer.detail["status"] in RESULTS
    )


def answered_late(index: Index, trace: Trace) -> bool:
    left = {event.attempt for event in trace.ends if event.detail["error"] == "timeout"}
    heard = left | {event.attempt for event in trace.replies}
    lost = any(send.attempt not in {copy.attempt for copy in trace.receives} for send in trace.sends)
    return not (lost or any(answer.attempt not in heard for answer in trace.answers)) and any(
        event.attempt < send.attempt and send.order < event.order and event.detail["status"] in RESULTS
        for send in trace.sends
        for event in (*trace.replies, *(answer for answer in trace.answers if answer.attempt in left))
    )


def invoked_while_down(index: Index, trace: Trace) -> bool:
    return trace.invoke is not None and any(
        outage.closed < trace.invoke.order and (outage.end == index.end or trace.invoke.order < outage.end)
        for outage in downs(index)
    )


DEFINITIONS = (
    died_before_commit,
    died_after_commit,
    repeat_while_executing,
    repeat_after_commit,
    repeat_after_history_loss,
    cut_while_open,
    reply_unseen,
    answered_late,
    invoked_while_down,
)

IN_TURN = (reply_unseen, answered_late)
"""Attempts are sent one after another, as clients do."""


@pytest.mark.parametrize("seed", SEEDS)
def test_opportunities(seed: int) -> None:
    setting = soup(seed)
    for definition in DEFINITIONS:
        made = OPPORTUNITIES[definition.__name__.replace("_", "-")]
        for trace in setting.index.traces.values():
            if definition in IN_TURN and [send.attempt for send in trace.sends] != list(range(1, len(trace.sends) + 1)):
                continue
            if trace.invoke is not None or definition is not invoked_while_down:
                assert made(setting, trace) == definition(setting.index, trace), (definition, trace)


@pytest.mark.parametrize("seed", SEEDS)
def test_straight_operations_offer_nothing_that_they_are_not_asked_for(seed: int) -> None:
    stories = list(STORIES)
    settings = [soup(seed), Views(cell(), Index(stories[seed % len(STORIES)](Run()).history()))]
    for setting in settings:
        for operation, trace in setting.index.invoked.items():
            made = {name for name, made in OPPORTUNITIES.items() if made(setting, trace)}
            assert made == {name for name, operations in setting.offered.items() if operation in operations}
