"""PURE: what is said when all cells are done: tables, claims, problems, witnesses, and how many came to what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from nodes.units import MILLISECOND, SECOND
from orchestrator.history.clocks import Clock
from orchestrator.history.merged import History
from orchestrator.report.due import Shortfall
from orchestrator.report.faults import LEGEND as FAULTS_LEGEND
from orchestrator.report.lines import WORDS, cell_line, run_name
from orchestrator.report.story import story
from orchestrator.report.table import LEGEND, render
from orchestrator.report.told import LeftOut, Run, Told, Witness

MAX_PROBLEMS = 10
"""A broken machine breaks every cell alike; the rest are in summary.json."""

ReadHistory = Callable[[Path], History]


def closing(told: Told, read: ReadHistory) -> Iterator[str]:
    """Lines for people. `read` gives the history of a cell's folder."""
    if told.outcomes:
        yield from ("", *render(told.outcomes), f"  ({LEGEND})")
    if told.cells:
        yield from ("", *render(told.cells))
    if told.faults:
        yield from ("", "What the faults did:", "", *render(told.faults), f"  ({FAULTS_LEGEND})")
    if told.claimed:
        yield from ("", "What was claimed, and the opportunities to refute it:", "", *render(told.claimed))
    yield from _titled("Not exercised, so not claimed:", told.not_exercised)
    yield from _titled("Untried, as their scenarios say, and claimed nowhere:", _most(told.untried))
    yield from _titled("Exercised, though their scenarios name it as untried:", _most(told.needless))
    capped = [f"{run_name(run.result)}: {run.capped}" for run in told.capped]
    yield from _titled("Replayed:", _most(told.replayed))
    yield from _titled("Phases that were ended by their caps:", _most(capped))
    unchecked = [*told.uncounted, *(f"{run_name(result)}: {text}" for result, text in told.unchecked)]
    yield from _titled("Not checked:", _most(unchecked))
    clocks = [f"agent {clock.where}: {clock_text(clock)}" for clock in told.clocks]
    yield from _titled("Clocks that are not the orchestrator's, and how far ahead of it they are:", clocks)
    yield from _titled("Not as expected:", _problems(told.problems))
    for witness in told.witnesses:
        yield from _witness(witness, read)
    yield from _titled("Cut short, so inconclusive:", [line for run in told.short for line in _cut_short(run)])
    yield from _titled("Left out, since this backend cannot run them:", map(_left_out, told.left_out_together))
    yield from ("", _count(told))


def _titled(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Nothing without any line."""
    told = [f"  {line}" for line in lines]
    if told:
        yield from ("", title, *told)


def _most(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:MAX_PROBLEMS]
    if len(lines) > MAX_PROBLEMS:
        yield f"and {len(lines) - MAX_PROBLEMS} more"


def clock_text(clock: Clock) -> str:
    """In seconds, with an error to two digits in milliseconds."""
    return f"{clock.offset / SECOND:+.6f} s, give or take {clock.error / MILLISECOND:.2g} ms"


def _problems(wrong: Sequence[Run]) -> Iterator[str]:
    for run in wrong[:MAX_PROBLEMS]:
        yield cell_line(run.result)
        if run.result.directory:
            yield f"  see {run.result.directory}"
    if len(wrong) > MAX_PROBLEMS:
        yield f"and {len(wrong) - MAX_PROBLEMS} more"


def _left_out(one: LeftOut) -> str:
    return f"{one.scenario} ({one.cells} {'cell' if one.cells == 1 else 'cells'}): {one.place}: {one.reason}"


def _cut_short(run: Shortfall) -> Iterator[str]:
    yield f"{run.run}: {run.there} of {run.due} cell runs are there"
    lacking = [f"{told}: begun, and left no history" for told in run.lost]
    lacking += [f"{told}: not begun, or removed" for told in run.absent]
    yield from (f"  {line}" for line in _most(lacking))


def _witness(witness: Witness, read: ReadHistory) -> Iterator[str]:
    result = witness.result
    assert result.directory is not None
    title = "A violation that the scenario expects" if witness.expected else "A violation"
    yield from ("", f"{title}, told by {result.cell.scenario} {result.cell.cell}:", "")
    for line in story(read(result.directory), witness.operation):
        yield f"  {line}"


def _count(told: Told) -> str:
    if not told.results:
        return "nothing was run"
    counts = [f"{count} {WORDS[code]}" for code, count in told.counts]
    if told.skipped:
        counts.append(f"{len(told.skipped)} not applicable")
    if told.left_out:
        counts.append(f"{len(told.left_out)} left out")
    return f"{len(told.results)} cell runs: {', '.join(counts)}"
