"""PURE: what each fault did, over all cells of a scenario, as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from orchestrator.checkers.verdict import FaultSteps
from orchestrator.report.result import CellResult
from orchestrator.report.table import Table, row_of

LEGEND = (
    "operations: applied, a plane did it; effective, the receiver's journal confirms it; "
    "consequential, a weaker mechanism could have failed by it"
)


def faults_table(results: Sequence[CellResult]) -> Table:
    """A row for each fault of each scenario (or value of the axis `fault`), summed over its cells. [] without any."""
    groups: dict[tuple[str, int, str], list[FaultSteps]] = defaultdict(list)
    for result in results:
        for place, steps in enumerate(result.judgement.faults if result.judgement else ()):
            groups[row_of(result.cell), place, steps.fault].append(steps)
    if not groups:
        return []
    heading = ["", "fault", "cell runs", "applied", "effective", "consequential"]
    return [heading, *([row, fault, *_sums(group)] for (row, _, fault), group in groups.items())]


def _sums(group: list[FaultSteps]) -> list[str]:
    sums = (len(group), *(sum(column) for column in zip(*(steps[2:] for steps in group), strict=True)))
    return [str(number) for number in sums]
