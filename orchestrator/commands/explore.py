"""`faultbed explore`: runs that nobody wrote, until the time is over or enough was found; then what surprised."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import NamedTuple, get_args

import click

from orchestrator.backends import simulator
from orchestrator.backends.interrupts import Interrupted, first_waits
from orchestrator.commands.endings import complain, say
from orchestrator.explore.found import Found, kept, on_real_sockets
from orchestrator.explore.generate import Barren
from orchestrator.explore.hunt import MOST_KINDS, Find, Hunt
from orchestrator.explore.subject import Subject, Unexplorable, of_scenario
from orchestrator.explore.told import ending, shrunk_to, tried
from orchestrator.explore.workers import WorkerDied, hunt
from orchestrator.report.result import Exit
from orchestrator.scenario import shipped
from orchestrator.scenario.cell import Cell, Variant
from orchestrator.scenario.matrix import hint
from orchestrator.sweep.failures import said
from orchestrator.sweep.outputs import try_folder

OURS, OTHERS = Path("scenarios/found"), Path("results/found")
"""Where finds are kept: those in the product stay with its scenarios, all others with what was run."""
EVERY = 1.0
"""Seconds between two words of how far it is."""


class Chosen(NamedTuple):
    """The options of `faultbed explore`."""

    scenario: str | None
    minutes: float | None
    runs: int | None
    jobs: int
    seed: int
    mutant: str | None
    out: Path | None
    real: bool


def explore(chosen: Chosen) -> Exit:
    """Raises ClickException or BadScenario for what cannot be explored, before anything is run."""
    subject, what = _subject(chosen)
    folder = chosen.out or (OTHERS if chosen.scenario or chosen.mutant else OURS)
    _try(folder)
    state = Hunt(chosen.seed, chosen.runs, 1 if chosen.mutant else MOST_KINDS)
    begun = monotonic()
    signals: list[int] = []
    died: WorkerDied | None = None
    with first_waits(signals.append):
        try:
            hunt(subject, state, chosen.jobs, _clock(state, begun, chosen.minutes, signals))
        except Barren as error:
            raise click.UsageError(f"{what}: {error}") from None
        except WorkerDied as error:
            died = error  # what was covered is told all the same
        for line in tried(state, what, monotonic() - begun):
            say(line)
        unkept: list[OSError] = []
        for find in state.finds.values():
            for line in _found(find, folder, chosen.real, signals, unkept):
                say(line)
    say(ending(state))
    if died:
        complain(str(died))
    if signals:
        return Exit(128 + signals[0])
    if unkept or died:
        return Exit.TESTBED
    return Exit.UNMET if state.finds else Exit.MET


def _subject(chosen: Chosen) -> tuple[Subject, str]:
    if chosen.mutant is not None:
        if chosen.scenario is not None:
            raise click.UsageError("--mutant explores the product's own broken variant; expected no scenario beside it")
        variants = get_args(Variant)
        if chosen.mutant not in variants:
            raise click.UsageError(f"--mutant: {chosen.mutant!r} is no variant; {hint(chosen.mutant, list(variants))}")
        return Subject(chosen.mutant), f"the variant {chosen.mutant}"  # type: ignore[arg-type]
    if chosen.scenario is None:
        return Subject(), "the product's own mechanisms"
    return _of_scenario(chosen.scenario), chosen.scenario


def _of_scenario(given: str) -> Subject:
    """Of every cell that the simulator can run."""
    cells = [cell for plan in shipped.plans([given]) for cell in plan.cells if cell.not_applicable is None]
    problems = {cell.cell: problem for cell in cells if (problem := _refused(cell)) is not None}
    possible = tuple(cell for cell in cells if cell.cell not in problems)
    if not possible:
        reason = next(iter(problems.values()), "no cell of it is to be run")
        raise click.UsageError(f"{given}: it cannot be explored, which the simulator does: {reason}")
    try:
        return of_scenario(possible)
    except Unexplorable as error:
        raise click.UsageError(f"{given}: {error}") from None


def _refused(cell: Cell) -> str | None:
    if cell.system is not None:
        return "the programs of a compose project run on real sockets alone; expected a scenario with nodes of ours"
    found = next(simulator().problems(cell), None)
    return found.message if found is not None else None


def _try(folder: Path) -> None:
    try:
        try_folder(folder)
    except OSError as error:
        raise click.UsageError(f"--out {folder}: {said(error)}; expected a folder that can be written") from None


def _clock(state: Hunt, begun: float, minutes: float | None, signals: Sequence[int]) -> Callable[[], bool]:
    """-> whether it is time to end; asked often, it also says how far it is, to somebody at a terminal."""
    told = begun

    def over() -> bool:
        nonlocal told
        now = monotonic()
        if sys.stderr.isatty() and now - told >= EVERY:
            told = now
            click.echo(f"\r{state.made} runs, {len(state.seen)} pairs, {len(state.finds)} kinds ", nl=False, err=True)
        return bool(signals) or state.over or (minutes is not None and now - begun >= 60 * minutes)

    return over


def _found(find: Find, folder: Path, real: bool, signals: list[int], unkept: list[OSError]) -> Iterator[str]:
    """A signal ends what it is at: what was reached until then is kept all the same. What cannot be is told."""
    link = find.cell.links[0]
    checks = ", ".join(find.surprise.checks)
    yield f"{link.variant or link.semantics}: {checks} after {find.number + 1} runs, {find.times} of them in all"
    try:
        found = kept(find, folder, lambda: bool(signals))
    except OSError as error:
        unkept.append(error)
        yield f"  {find.surprise.told}"
        yield f"  not kept: {said(error)}; the same seed with --runs {find.number + 1} finds it again"
        return
    yield f"  {found.surprise.told}"
    yield f"  {shrunk_to(found.shrunk)}: {os.fspath(found.path)}"
    yield f"  faultbed run {found.path} --backend {simulator().name}   does it again"
    if real and not signals:
        yield f"  on real sockets: {_on_real_sockets(found, signals)}"


def _on_real_sockets(found: Found, signals: list[int]) -> str:
    try:
        return on_real_sockets(found)
    except Interrupted as signal:
        signals.append(signal.number)
        return "interrupted"
