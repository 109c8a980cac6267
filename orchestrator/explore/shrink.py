"""PURE: the smallest cell that still surprises in the same way (delta debugging: Zeller and Hildebrandt 2002).

Rules of this file:

1. Each step is smaller in one respect, and larger in none that comes before it in `candidates`: so it ends.
2. What takes most away is tried first, and what was found to surprise is gone on from.
3. What no step makes smaller is tried on systems of a few calls, wherever its faults may meet one there.
4. Another schedule may hide what a cell does, so what does not surprise under the cell's own seed is tried under a few
   others; the smallest seed that will do is what stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.explore.reshaped import SEEDS, reshaped
from orchestrator.explore.smaller import candidates
from orchestrator.explore.theory import by_theory
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.coherence import problems
from orchestrator.scenario.log import Log

if TYPE_CHECKING:
    from random import Random

MOST = 3_000
"""Runs that are spent on one cell."""
FEW = 4
"""Calls."""

Surprises = Callable[[Cell], bool]
Logged = Callable[[Cell], Log | None]


class Shrunk(NamedTuple):
    """`runs` were spent on it; `whole`: nothing smaller is known to be left to try."""

    cell: Cell
    runs: int
    whole: bool


def unlogged(cell: Cell) -> Log | None:
    return None


class Shrinking:
    """`surprises` says of a cell whether it does; it does of the first one. `logged` is what was done in its run.
    `over` is asked before each run whether it is to end with what was reached."""

    def __init__(
        self,
        surprises: Surprises,
        random: Random,
        logged: Logged = unlogged,
        most: int = MOST,
        over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._surprises = surprises
        self._random = random
        self._logged = logged
        self._most = most
        self._over = over
        self._runs = 0
        self._tried: set[str] = set()

    def of(self, cell: Cell) -> Shrunk:
        while (smaller := self._smaller(cell) or self._reshaped(cell)) is not None:
            cell = smaller
        return Shrunk(cell, self._runs, not self._ended)

    @property
    def _ended(self) -> bool:
        return self._runs >= self._most or self._over()

    def _smaller(self, cell: Cell) -> Cell | None:
        if self._ended:
            return None
        smaller = list(candidates(cell, self._logged(cell)))
        for seed in dict.fromkeys((cell.seed, *SEEDS)):
            for candidate in smaller:
                if (found := self._try(candidate.model_copy(update={"seed": seed}))) is not None:
                    return found
            if seed < cell.seed and (found := self._try(cell.model_copy(update={"seed": seed}))) is not None:
                return found
        return None

    def _reshaped(self, cell: Cell) -> Cell | None:
        """Where it has more calls than are seen at a glance."""
        if sum(client.clients * client.calls for client in cell.clients.values()) <= FEW:
            return None
        tried = (self._try(one) for one in reshaped(cell, self._random))
        return next((found for found in tried if found is not None), None)

    def _try(self, candidate: Cell) -> Cell | None:
        """A cell is not run twice."""
        if self._ended:
            return None
        candidate = by_theory(candidate)
        if (key := repr(candidate)) in self._tried or next(problems(candidate), None) is not None:
            return None
        self._tried.add(key)
        self._runs += 1
        return candidate if self._surprises(candidate) else None
