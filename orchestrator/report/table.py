"""PURE: faults by semantics, a cell for what the bitten operations came to; or a list where there is no such axis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import get_args

from orchestrator.checkers.verdict import Outcome
from orchestrator.report.lines import WORDS, outcome_text, violates
from orchestrator.report.result import CellResult, Exit
from orchestrator.scenario.cell import Cell, Semantics

COLUMN = "semantics"
ROW = "fault"
MARKS = {Exit.MET: "", Exit.UNMET: " UNMET", Exit.INCONCLUSIVE: " ?", Exit.TESTBED: " TESTBED", Exit.INTERRUPTED: " -"}
LEGEND = "client's result and executions on the operations that the fault bit; ! violates a stronger claim, as expected"

Table = list[list[str]]
"""Rows of equal length; the first is the heading."""


def pivot(results: Sequence[CellResult], skipped: Iterable[Cell] = ()) -> Table:
    """Rows are the values of the axis `fault`, or scenarios; columns the values of `semantics`. [] without that axis.

    Transports, codecs and repeats are told together: their outcomes' range, and the worst verdict's mark.
    """
    groups: dict[tuple[str, str], list[CellResult]] = defaultdict(list)
    for result in results:
        if COLUMN in result.cell.axes:
            groups[row_of(result.cell), result.cell.axes[COLUMN]].append(result)
    absent = {(row_of(cell), cell.axes[COLUMN]) for cell in skipped if COLUMN in cell.axes}
    keys = [*groups, *sorted(absent - set(groups))]
    rows = list(dict.fromkeys(row for row, _ in keys))
    columns = [name for name in get_args(Semantics) if any(column == name for _, column in keys)]
    if not groups:
        return []
    body = [[row, *(_text(groups.get((row, column)), (row, column) in absent) for column in columns)] for row in rows]
    return [["", *columns], *body]


def row_of(cell: Cell) -> str:
    return cell.axes.get(ROW, cell.scenario)


def _text(group: list[CellResult] | None, absent: bool) -> str:
    if not group:
        return "n/a" if absent else ""
    worst = min((result.exit_code for result in group), key=list(WORST).index)
    outcomes = [outcome for result in group if result.judgement for outcome in result.judgement.outcomes]
    expected = " !" if worst is Exit.MET and all(violates(result) for result in group) else ""
    return outcome_text(_distinct(outcomes)) + expected + MARKS[worst]


WORST = (Exit.UNMET, Exit.TESTBED, Exit.INTERRUPTED, Exit.INCONCLUSIVE, Exit.MET)


def _distinct(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    return tuple(dict.fromkeys(outcome._replace(status="") for outcome in outcomes))


def listing(results: Sequence[CellResult]) -> Table:
    """One row a cell, for scenarios without the axis."""
    heading = ["cell", "verdict", "bitten operations", "seed"]
    return [heading] + [
        [
            f"{result.cell.scenario} {result.cell.cell}",
            WORDS[result.exit_code],
            outcome_text(result.judgement.outcomes) if result.judgement else "-",
            str(result.seed),
        ]
        for result in results
    ]


def render(table: Table, indent: str = "  ") -> list[str]:
    """Aligned lines of plain text, the heading underlined."""
    if not table:
        return []
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = [
        (indent + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))).rstrip()
        for row in table
    ]
    rule = indent + "  ".join("-" * width for width in widths)
    return [lines[0], rule, *lines[1:]]
