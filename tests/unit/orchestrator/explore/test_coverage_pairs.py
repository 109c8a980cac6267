"""What a run covered: who was offered an opportunity, in which state of the mechanism."""

from __future__ import annotations

from history_builder import CLIENT, Run, cell
from stories import after_trim, crash_after_commit, joined, reply_lost

from nodes.wire.header import Status
from nodes.wire.record import Kind
from orchestrator.checkers.views import Views
from orchestrator.explore.coverage import Pair, covered
from orchestrator.history.index import Index


def pairs(run: Run, **options: str) -> frozenset[Pair]:
    return covered(Views(cell(**options), Index(run.history())))


def pair(run: Run, opportunity: str) -> Pair:
    (found,) = [each for each in pairs(run) if each.opportunity == opportunity]
    return found


def beside(*calls: tuple[int, int, int, int]) -> Pair:
    """A call of CLIENT whose reply was lost, and others: (client, seq, invoked, ended) among the moments 0 to 5, of
    which its own are 2 and 3."""
    run = Run()
    for moment in range(6):
        if moment == 2:
            run.invoke(1).send(1).decide("request", 1).run(1).decide("reply", 1, act="drop", rule=0)
        for client, seq, invoked, _ in calls:
            if invoked == moment:
                run.invoke(seq, client)
        for client, seq, _, ended in calls:
            if ended == moment:
                run.info(seq, client=client)
        if moment == 3:
            run.send(1, 2).decide("request", 1, 2).receive(1, 2).answer(1, 2, 1, Status.CACHED)
            run.decide("reply", 1, 2).reply(1, 2, 1, Status.CACHED).ok(1, 1)
    return pair(run, "repeat-after-commit")


def test_each_opportunity_has_the_state_of_whom_it_was_offered() -> None:
    found = pairs(reply_lost(Run()))
    state = ("at-most-once", 1, 2, 0, (int(Status.EXECUTED), int(Status.CACHED)))
    assert found == {Pair(name, *state) for name in ("reply-unseen", "repeat-after-commit")}
    assert {each.semantics for each in pairs(reply_lost(Run()), semantics="maybe")} == {"maybe"}


def test_epochs_attempts_and_answers_are_of_the_operation() -> None:
    crashed = pair(crash_after_commit(Run()), "died-after-commit")
    assert (crashed.epochs, crashed.attempts, crashed.statuses) == (2, 2, (int(Status.EXECUTED),))
    copied = pair(joined(Run()), "repeat-while-executing")
    assert (copied.epochs, copied.attempts) == (1, 1)
    assert copied.statuses == (int(Status.EXECUTED), int(Status.JOINED))
    trimmed = pair(after_trim(Run()), "repeat-after-trim")
    assert trimmed.statuses == tuple(sorted((int(Status.EXECUTED), int(Status.STALE))))


def test_calls_of_its_client_that_were_open_beside_it_are_counted() -> None:
    assert beside().beside == 0
    assert beside((CLIENT, 2, 1, 2)).beside == 1
    assert beside((CLIENT, 2, 0, 1)).beside == 0
    assert beside((CLIENT, 2, 4, 5)).beside == 0
    assert beside((CLIENT, 2, 3, 5)).beside == 1
    assert beside((CLIENT, 2, 1, 4), (CLIENT, 3, 2, 3)).beside == 2
    assert beside((CLIENT + 100, 2, 1, 4)).beside == 0


def test_from_three_on_one_more_makes_no_difference() -> None:
    others = [(CLIENT, seq, 1, 4) for seq in range(2, 7)]
    assert [beside(*others[:many]).beside for many in (2, 3, 4, 5)] == [2, 3, 3, 3]
    run = Run().invoke(1)
    for attempt in range(1, 6):
        run.send(1, attempt).decide("request", 1, attempt).receive(1, attempt)
        if attempt < 5:
            run.note("server", run.epoch, Kind.STOP).serve() if run.epoch < 3 else None
    run.execute(1, 5).commit(1, 5).answer(1, 5, 1).decide("reply", 1, 5).reply(1, 5, 1).ok(1, 1)
    assert {(each.attempts, each.epochs) for each in pairs(run)} == {(3, 3)}
