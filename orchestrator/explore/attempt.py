"""One run of one cell in the simulator, from start to verdict, which leaves nothing: no file, no folder."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.backends.sim.session import SimSession, run
from orchestrator.checkers.expect import CRASHED, Verdicts, verdicts
from orchestrator.checkers.verdict import Judgement, Met, Verdict
from orchestrator.checkers.views import Views
from orchestrator.explore.coverage import Pair, covered
from orchestrator.explore.limited import limited
from orchestrator.explore.theory import excused
from orchestrator.history.index import Index
from orchestrator.history.merged import History
from orchestrator.run.conductor import Conductor
from orchestrator.scenario.cell import LEVELS, Cell
from orchestrator.sweep.failures import said

GATE = "evidence"
RUN = "run"
LONGEST = 20.0
"""A hundred times what long runs take, a thousand times what most do."""
UNWRITTEN = "a plan that nobody wrote down"
"""Histories without one are of older versions, of which less is asked."""
LEAST_TELLING = "explained"
"""It says that something is odd; any other check says what."""


class Surprise(NamedTuple):
    """What was promised and did not hold: the names of the checks that found it, the first of them telling.

    A check is a property, another expectation of every cell's, the evidence gate or the run itself.
    """

    checks: tuple[str, ...]
    told: str


class Attempt(NamedTuple):
    """What one run came to."""

    surprise: Surprise | None
    covered: frozenset[Pair] = frozenset()


def attempt(cell: Cell, longest: float = LONGEST) -> Attempt:
    """`longest`: seconds of CPU time."""
    try:
        with limited(longest):
            setting = Views(cell, Index(recorded(cell)))
            return Attempt(surprise(cell, verdicts(setting)), covered(setting))
    except Exception as error:  # whatever it is: nothing that can be written may have it
        return Attempt(Surprise((RUN,), said(error)))


def recorded(cell: Cell) -> History:
    """Raises what a run fails of."""
    with SimSession(cell.seed) as session:
        run(Conductor(cell, session).program(), session)
        session.close()
        return session.collect().history()._replace(plan=UNWRITTEN)


def surprise(cell: Cell, judgement: Verdicts | Judgement) -> Surprise | None:
    """None where nothing is unmet: that a fault did not bite is nothing to wonder at."""
    if judgement.gate:
        return Surprise((GATE,), judgement.gate[0])
    crashed = [found for found in judgement.properties if found.verdict is Verdict.UNKNOWN]
    if crashed:
        return Surprise((crashed[0].name,), crashed[0].note)
    undecided = [verdict for verdict in judgement.expectations if verdict.name == CRASHED]
    if undecided:
        return Surprise((RUN,), undecided[0].reason)
    unmet = [verdict for verdict in judgement.expectations if verdict.verdict is Met.UNMET]
    excuse = excused(cell)
    found = {name: verdict.reason for verdict in unmet for name in _names(cell, judgement, verdict.name)}
    checks = tuple(sorted((name for name in found if name not in excuse), key=LEAST_TELLING.__eq__))
    return Surprise(checks, found[checks[0]]) if checks else None


def _names(cell: Cell, judgement: Verdicts | Judgement, expectation: str) -> tuple[str, ...]:
    """A level is told by those of its properties that are violated."""
    delivery = cell.expect.delivery
    if expectation != "delivery" or delivery is None or delivery.holds is None:
        return (expectation,)
    parts = LEVELS[delivery.holds]
    return tuple(
        found.name for found in judgement.properties if found.name in parts and found.verdict is Verdict.VIOLATED
    ) or (expectation,)
