"""PURE: what running cells yields. `sweep/` makes these, `report/` tells them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from chaos.problem import Problem
from orchestrator.checkers.verdict import Judgement, Met
from orchestrator.history.clocks import Clock
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.document import path_text


class Exit(IntEnum):
    """The command's exit codes (docs/semantics.md, "Verdicts and exit codes")."""

    MET = 0
    UNMET = 1
    INCONCLUSIVE = 2
    TESTBED = 3
    USAGE = 4
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class Ending(NamedTuple):
    """What ended the command, or kept it from beginning, other than what its cells came to. Never with Exit.MET."""

    code: Exit
    message: str


class Refusal(NamedTuple):
    """A cell that its backend cannot run: where its scenario asks for too much, and why. At least one problem."""

    cell: Cell
    problems: tuple[Problem, ...]

    @property
    def place(self) -> str:
        """Of the first."""
        return path_text(self.problems[0].path)

    @property
    def reason(self) -> str:
        """The first."""
        return self.problems[0].message


@dataclass(frozen=True)
class Task:
    """One cell to be run once. `repeat` counts from 1; the cell already has this repeat's own seed."""

    cell: Cell
    repeat: int = 1


@dataclass(frozen=True)
class CellResult:
    """One run of one cell. Exactly one of `judgement` and `error` is given; `error` says how the testbed failed.

    `seconds` is wall time (virtual time in the simulator's case is in its history); `directory` is where the
    run's files are, None if nothing is kept. `interrupted`: Ctrl-C ended it, so there is no verdict. `clocks` are those
    of its history that are not the orchestrator's.
    """

    cell: Cell
    repeat: int
    seconds: float
    judgement: Judgement | None = None
    error: str | None = None
    directory: Path | None = None
    interrupted: bool = False
    clocks: tuple[Clock, ...] = ()

    @property
    def seed(self) -> int:
        return self.cell.seed

    @property
    def exit_code(self) -> Exit:
        """This cell alone: evidence that cannot be trusted voids its verdicts."""
        if self.interrupted:
            return Exit.INTERRUPTED
        if self.judgement is None or self.judgement.gate:
            return Exit.TESTBED
        verdicts = {expectation.verdict for expectation in self.judgement.expectations}
        if Met.UNMET in verdicts:
            return Exit.UNMET
        return Exit.INCONCLUSIVE if Met.INCONCLUSIVE in verdicts else Exit.MET

    @property
    def problem(self) -> str | None:
        """Why the testbed failed, None if it did not."""
        if self.judgement is not None and self.judgement.gate:
            return "evidence: " + "; ".join(self.judgement.gate)
        return self.error


# Across cells: an unmet expectation is a finding whatever else broke; a broken testbed hides what it did not see.
_RANK = (Exit.INTERRUPTED, Exit.UNMET, Exit.TESTBED, Exit.INCONCLUSIVE, Exit.MET)


def exit_code(results: Iterable[CellResult], cut_short: bool = False) -> Exit:
    """The whole command's: Ctrl-C outranks 1 outranks 3 outranks 2 outranks 0. What was `cut_short` is not 0."""
    codes = [result.exit_code for result in results] + [Exit.INCONCLUSIVE] * cut_short
    return min(codes, key=_RANK.index, default=Exit.MET)
