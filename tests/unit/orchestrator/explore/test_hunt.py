"""The attacker at work: it finds nothing in the correct mechanisms (tests/scenarios/test_conviction.py: what it does in
the broken ones)."""

from __future__ import annotations

from itertools import islice
from multiprocessing import Pipe

import pytest
from requirements import ALL

from orchestrator.explore.hunt import Hunt, Maker
from orchestrator.explore.subject import Subject
from orchestrator.explore.told import ending, tried
from orchestrator.explore.workers import AT_ONCE, WorkerDied, _together, hunt

SEED = 1
RUNS = 300 if ALL else 100


def hunted(subject: Subject, runs: int, enough: int = 99) -> Hunt:
    state = Hunt(SEED, runs, enough)
    hunt(subject, state, 1, lambda: False)
    return state


def test_nothing_surprises_in_the_correct_mechanisms() -> None:
    state = hunted(Subject(), RUNS)
    assert not state.finds
    assert state.made == RUNS
    assert ending(state) == f"nothing surprised: with 95 % confidence at most {3 / RUNS:.2g} of such runs do (3/{RUNS})"
    assert f"{RUNS} runs of ours in 7 s, seed {SEED}" in next(tried(state, "ours", 7))


def test_it_ends_when_it_is_told_to() -> None:
    state = Hunt(SEED, None)
    hunt(Subject(), state, 1, lambda: state.made >= 8)
    assert state.made == 8


class Ended:
    """As much of a process as is asked of one that is no more."""

    def __init__(self, exitcode: int) -> None:
        self.exitcode = exitcode

    def join(self) -> None:
        pass


@pytest.mark.parametrize(("exitcode", "told"), [(-9, "was killed by SIGKILL"), (3, "ended with exit code 3")])
def test_what_a_worker_had_told_before_it_died_is_known(exitcode: int, told: str) -> None:
    state, maker = Hunt(SEED, None), Maker(Subject().ground)
    ours, theirs = Pipe()
    theirs.send([maker.make(order) for order in islice(Hunt(SEED, None).orders(), AT_ONCE)])

    def over() -> bool:
        if state.made:
            theirs.close()
        return False

    with ours, pytest.raises(WorkerDied, match=f"one of the 1 processes that make runs {told}"):
        _together({ours: Ended(exitcode)}, state, over)  # type: ignore[dict-item]
    assert state.made == AT_ONCE
    assert state.seen
