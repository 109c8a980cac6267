"""PURE: what is to be said of a command's results, each fact told once; closing text, JUnit, summary.json render it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from orchestrator.checkers.summary import Claim
from orchestrator.checkers.verdict import Verdict
from orchestrator.history.clocks import Clock
from orchestrator.history.merged import Operation
from orchestrator.report.claims import claims_of, claims_table, declared, undeclared
from orchestrator.report.due import Shortfall
from orchestrator.report.faults import faults_table
from orchestrator.report.lines import caps_text, reasons, violates
from orchestrator.report.replayed import replayed_lines
from orchestrator.report.result import CellResult, Exit, Refusal, exit_code
from orchestrator.report.table import Table, listing, pivot
from orchestrator.report.untried import needless, untried
from orchestrator.scenario.cell import Cell


class Run(NamedTuple):
    """One run of one cell: why it is not as expected, the weightiest first, and which phases its caps ended, or ""."""

    result: CellResult
    reasons: tuple[str, ...]
    capped: str


class Absent(NamedTuple):
    """A cell that was not to be run, and why."""

    cell: Cell
    why: str


class LeftOut(NamedTuple):
    """So many cells of a scenario, which its backend cannot run for one reason."""

    scenario: str
    cells: int
    place: str
    reason: str


class Witness(NamedTuple):
    """The operation that shows a violation in its cell's history; `expected` by the scenario."""

    result: CellResult
    operation: Operation
    expected: bool


@dataclass(frozen=True)
class Told:
    """Of these results: `skipped` are cells that their scenarios declare not applicable, `left_out` those that their
    backend cannot run, `short` the runs that were cut short, `uncounted` those of which nobody knows it, and why. Each
    fact is computed when it is first told.
    """

    results: Sequence[CellResult]
    skipped: Sequence[Cell] = ()
    left_out: Sequence[Refusal] = ()
    short: Sequence[Shortfall] = ()
    uncounted: Sequence[str] = ()

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Of the results, in their order."""
        return tuple(dict.fromkeys(result.cell.scenario for result in self.results))

    def of(self, scenario: str) -> Told:
        """What is to be said of one scenario's results alone."""
        return Told([result for result in self.results if result.cell.scenario == scenario])

    @cached_property
    def exit(self) -> Exit:
        return exit_code(self.results, bool(self.short))

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        return tuple(Run(result, tuple(reasons(result)), caps_text(result)) for result in self.results)

    @cached_property
    def problems(self) -> tuple[Run, ...]:
        """Those that are not as expected."""
        return tuple(run for run in self.runs if run.result.exit_code is not Exit.MET)

    @cached_property
    def capped(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if run.capped)

    @cached_property
    def unchecked(self) -> tuple[tuple[CellResult, str], ...]:
        """What the gate could not look at, of whom."""
        judged = ((result, result.judgement) for result in self.results if result.judgement is not None)
        return tuple((result, text) for result, judgement in judged for text in judgement.unchecked)

    @cached_property
    def replayed(self) -> tuple[str, ...]:
        """How far replays came: all together, those in which something never came, and what has no messages."""
        return tuple(replayed_lines(self.results))

    @cached_property
    def absent(self) -> tuple[Absent, ...]:
        skipped = (Absent(cell, f"not applicable: {cell.not_applicable}") for cell in self.skipped)
        return (*skipped, *(Absent(one.cell, f"left out: {one.place}: {one.reason}") for one in self.left_out))

    @cached_property
    def left_out_together(self) -> tuple[LeftOut, ...]:
        """By scenario and reason: a scenario's cells often share theirs."""
        found = Counter((one.cell.scenario, one.place, one.reason) for one in self.left_out)
        return tuple(LeftOut(scenario, cells, place, why) for (scenario, place, why), cells in found.items())

    @cached_property
    def outcomes(self) -> Table:
        """Faults by semantics; [] without them."""
        return pivot(self.results, [one.cell for one in self.absent])

    @cached_property
    def cells(self) -> Table:
        """Those that the table of outcomes has no place for; [] if there are none."""
        rest = [result for result in self.results if "semantics" not in result.cell.axes]
        return listing(rest) if rest else []

    @cached_property
    def faults(self) -> Table:
        return faults_table(self.results)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        return claims_of(self.results)

    @cached_property
    def claimed(self) -> Table:
        return claims_table(self.claims, declared(self.results))

    @cached_property
    def not_exercised(self) -> tuple[str, ...]:
        return undeclared(self.claims)

    @cached_property
    def untried(self) -> tuple[str, ...]:
        """What scenarios name as untried, and was."""
        return untried(self.results)

    @cached_property
    def needless(self) -> tuple[str, ...]:
        """What they name as untried, and was exercised."""
        return needless(self.results)

    @cached_property
    def clocks(self) -> tuple[Clock, ...]:
        """Each foreign clock, as well as it was known in the cell that knew it least; by where it is."""
        worst: dict[str, Clock] = {}
        for clock in (clock for result in self.results for clock in result.clocks):
            if clock.where not in worst or worst[clock.where].error < clock.error:
                worst[clock.where] = clock
        return tuple(worst[where] for where in sorted(worst))

    @cached_property
    def witnesses(self) -> tuple[Witness, ...]:
        """One for each scenario that has a violation: its cells tell the same story."""
        found = (witness_of(self.of(scenario).results) for scenario in self.scenarios)
        return tuple(one for one in found if one is not None)

    @cached_property
    def counts(self) -> tuple[tuple[Exit, int], ...]:
        """How many runs came to what."""
        return tuple(sorted(Counter(result.exit_code for result in self.results).items()))


def witness_of(results: Sequence[CellResult]) -> Witness | None:
    """The most telling violation: one that nobody expected, else the first that the scenario expects."""
    unmet = [result for result in results if result.exit_code is Exit.UNMET]
    for result in [*unmet, *(result for result in results if violates(result))]:
        if result.judgement is None or result.directory is None:
            continue
        expectations = [found.witness for found in result.judgement.expectations if found.witness]
        properties = [
            found.witness
            for found in result.judgement.properties
            if found.verdict is Verdict.VIOLATED and found.witness
        ]
        if expectations or properties:
            return Witness(result, (properties or expectations)[0], violates(result))
    return None
