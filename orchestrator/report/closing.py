"""PURE: what is said when all cells are done: tables, claims, problems, witnesses, and what to try next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from orchestrator.checkers.verdict import Verdict
from orchestrator.history.clocks import Clock
from orchestrator.history.merged import History, Operation
from orchestrator.report.claims import claims_of, claims_table, declared, undeclared
from orchestrator.report.due import Shortfall
from orchestrator.report.faults import LEGEND as FAULTS_LEGEND
from orchestrator.report.faults import faults_table
from orchestrator.report.lines import WORDS, caps_text, cell_line, run_name, violates
from orchestrator.report.result import CellResult, Exit, Refusal
from orchestrator.report.story import story
from orchestrator.report.table import LEGEND, listing, pivot, render
from orchestrator.scenario.cell import Cell

SECOND, MILLISECOND = 1_000_000_000, 1_000_000
MAX_PROBLEMS = 10
"""A broken machine breaks every cell alike; the rest are in summary.json."""

ReadHistory = Callable[[Path], History]


def closing(
    results: Sequence[CellResult],
    skipped: Sequence[Cell],
    read: ReadHistory,
    short: Sequence[Shortfall] = (),
    left_out: Sequence[Refusal] = (),
) -> Iterator[str]:
    """Lines for people. `read` gives the history of a cell's folder; `short` are runs that were cut short."""
    yield from _tables(results, [*skipped, *(one.cell for one in left_out)])
    yield from _faults(results)
    yield from _claims(results)
    yield from _caps(results)
    yield from _clocks(results)
    yield from _problems(results)
    yield from _witnesses(results, read)
    yield from _cut_short(short)
    yield from _left_out(left_out)
    yield from ("", _count(results, skipped, left_out))


def _tables(results: Sequence[CellResult], skipped: Sequence[Cell]) -> Iterator[str]:
    table = pivot(results, skipped)
    if table:
        yield from ("", *render(table), f"  ({LEGEND})")
    rest = [result for result in results if "semantics" not in result.cell.axes]
    if rest:
        yield from ("", *render(listing(rest)))


def _faults(results: Sequence[CellResult]) -> Iterator[str]:
    table = faults_table(results)
    if table:
        yield from ("", "What the faults did:", "", *render(table), f"  ({FAULTS_LEGEND})")


def _claims(results: Sequence[CellResult]) -> Iterator[str]:
    claimed = claims_of(results)
    if not claimed:
        return
    yield from (
        "",
        "What was claimed, and the opportunities to refute it:",
        "",
        *render(claims_table(claimed, declared(results))),
    )
    missing = undeclared(claimed)
    if missing:
        yield from ("", "Not exercised, so not claimed:", *(f"  {line}" for line in missing))


def _caps(results: Sequence[CellResult]) -> Iterator[str]:
    told = [f"{run_name(result)}: {text}" for result in results if (text := caps_text(result))]
    yield from _listed("Phases that were ended by their caps:", told)


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    if not lines:
        return
    yield from ("", title, *(f"  {line}" for line in lines[:MAX_PROBLEMS]))
    if len(lines) > MAX_PROBLEMS:
        yield f"  and {len(lines) - MAX_PROBLEMS} more"


def _clocks(results: Sequence[CellResult]) -> Iterator[str]:
    """Each foreign clock, as well as it was known in the cell that knew it least."""
    worst: dict[str, Clock] = {}
    for clock in (clock for result in results for clock in result.clocks):
        if clock.where not in worst or worst[clock.where].error < clock.error:
            worst[clock.where] = clock
    if not worst:
        return
    yield from ("", "Clocks that are not the orchestrator's, and how far ahead of it they are:")
    yield from (f"  agent {where}: {clock_text(clock)}" for where, clock in sorted(worst.items()))


def clock_text(clock: Clock) -> str:
    """In seconds, with an error to two digits in milliseconds."""
    return f"{clock.offset / SECOND:+.6f} s, give or take {clock.error / MILLISECOND:.2g} ms"


def _problems(results: Sequence[CellResult]) -> Iterator[str]:
    wrong = [result for result in results if result.exit_code is not Exit.MET]
    if not wrong:
        return
    yield from ("", "Not as expected:")
    for result in wrong[:MAX_PROBLEMS]:
        yield f"  {cell_line(result)}"
        if result.directory:
            yield f"    see {result.directory}"
    if len(wrong) > MAX_PROBLEMS:
        yield f"  and {len(wrong) - MAX_PROBLEMS} more"


def _left_out(refused: Sequence[Refusal]) -> Iterator[str]:
    """By scenario and reason: a scenario's cells often share theirs."""
    if not refused:
        return
    yield from ("", "Left out, since this backend cannot run them:")
    reasons = Counter((one.cell.scenario, one.place, one.reason) for one in refused)
    for (scenario, place, reason), cells in reasons.items():
        yield f"  {scenario} ({cells} {'cell' if cells == 1 else 'cells'}): {place}: {reason}"


def _cut_short(short: Sequence[Shortfall]) -> Iterator[str]:
    if not short:
        return
    yield from ("", "Cut short, so inconclusive:")
    for run in short:
        yield f"  {run.run}: {run.there} of {run.due} cell runs are there"
        lacking = [f"{told}: begun, and left no history" for told in run.lost]
        lacking += [f"{told}: not begun" for told in run.absent]
        yield from (f"    {line}" for line in lacking[:MAX_PROBLEMS])
        if len(lacking) > MAX_PROBLEMS:
            yield f"    and {len(lacking) - MAX_PROBLEMS} more"


def witness_of(results: Sequence[CellResult]) -> tuple[CellResult, Operation] | None:
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
            return result, (properties or expectations)[0]
    return None


def _witnesses(results: Sequence[CellResult], read: ReadHistory) -> Iterator[str]:
    """One for each scenario that has a violation: its cells tell the same story."""
    for scenario in dict.fromkeys(result.cell.scenario for result in results):
        found = witness_of([result for result in results if result.cell.scenario == scenario])
        if found is not None:
            yield from _witness(*found, read)


def _witness(result: CellResult, operation: Operation, read: ReadHistory) -> Iterator[str]:
    assert result.directory is not None
    title = "A violation that the scenario expects" if violates(result) else "A violation"
    yield from ("", f"{title}, told by {result.cell.scenario} {result.cell.cell}:", "")
    for line in story(read(result.directory), operation):
        yield f"  {line}"


def _count(results: Sequence[CellResult], skipped: Sequence[Cell], left_out: Sequence[Refusal]) -> str:
    counts = Counter(result.exit_code for result in results)
    told = [f"{counts[code]} {WORDS[code]}" for code in (*sorted(counts),)]
    if skipped:
        told.append(f"{len(skipped)} not applicable")
    if left_out:
        told.append(f"{len(left_out)} left out")
    return f"{len(results)} cell runs: {', '.join(told)}" if results else "nothing was run"
