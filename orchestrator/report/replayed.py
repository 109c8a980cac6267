"""PURE: how far replays came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.checkers.verdict import Replayed
from orchestrator.report.lines import run_name
from orchestrator.report.result import CellResult


def replayed_lines(results: Iterable[CellResult]) -> Iterator[str]:
    """All together, then those in which something never came, or ended otherwise; and the faults of planes that know no
    messages."""
    found = [(one, one.judgement.replayed) for one in results if one.judgement and one.judgement.replayed]
    if not found:
        return
    yield f"{len(found)} runs: {came(*(one for _, one in found))}"
    yield from (f"{run_name(result)}: {came(one)}" for result, one in found if one.absent or one.differing)
    yield from dict.fromkeys(_window(result, index) for result, one in found for index in one.windows)


def came(*found: Replayed) -> str:
    """How far these came, together."""
    applied, absent = sum(one.applied for one in found), sum(len(one.absent) for one in found)
    entries = f"{applied} of {applied + absent} entries of the log applied, {absent} never came"
    told = f"{entries}; {sum(one.unknown for one in found)} messages passed that it does not know"
    differing = sum(len(one.differing) for one in found)
    return f"{told}; {differing} operations ended otherwise" if differing else told


def _window(result: CellResult, index: int) -> str:
    fault = result.cell.faults[index]
    return f"{result.cell.scenario}: fault {index + 1} ({fault.verb}) is not replayable by message; it came as planned"
