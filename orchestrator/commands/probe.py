"""`faultbed probe`: what each engine's own multiplexer does, beside what is expected of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

import click

from nodes import descriptors, engines, probes
from nodes.probes.common.probe import Probe
from orchestrator.commands.endings import say
from orchestrator.commands.progress import Counted
from orchestrator.report.result import Exit
from orchestrator.sweep.failures import said

if TYPE_CHECKING:
    from orchestrator.probes.chosen import Asked, Facts
    from orchestrator.probes.compared import Cell
    from orchestrator.probes.expectations import Expectations

JOBS = 4
"""Most of the time they wait."""
WIDTH = 120
EXPECTED = Path(__file__).parents[1] / "probes" / "expected"
"""A file for each system, named as sys.platform has it."""


class Chosen(NamedTuple):
    """The options of `faultbed probe`."""

    engines: tuple[str, ...]
    probes: tuple[str, ...]
    export: tuple[Path, ...]
    jobs: int
    broken: str | None


@click.command()
@click.option(
    "--engine", "names", metavar="NAME", multiple=True, help="Only this one; again for others.  [default: all]"
)
@click.option("--probe", "only", metavar="NAME", multiple=True, help="Only this one; again for others.  [default: all]")
@click.option(
    "--export",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="Also write the comparison to FILE: .json, .csv or .md.",
)
@click.option("--jobs", type=click.IntRange(1, 16), default=JOBS, show_default=True, help="Engines side by side.")
@click.option("--broken", metavar="NAME", help="On a poller that is wrong on purpose: what must deviate.")
@click.option("--list", "listed", is_flag=True, help="Name the probes, and end.")
def probe(
    names: tuple[str, ...], only: tuple[str, ...], export: tuple[Path, ...], jobs: int, broken: str | None, listed: bool
) -> int:
    """Do to each engine's own multiplexer, at bare sockets, what tells them apart, and compare with what is expected.

    Prints what every engine told at each step, engines side by side; those that told the same stand in one column, and
    a step at which columns differ is marked with *. A deviation comes with its trace, and with the manual page or the
    measurement that expected something else. docs/multiplexers.md has every probe and what is expected.

    \b
      faultbed probe                                          everything, in half a minute
      faultbed probe --probe data-then-end                    one row, on all engines
      faultbed probe --engine epoll --engine epoll_edge       two engines side by side
      faultbed probe --export rows.csv --export page.md       as files, too

    Exit codes: 0 all as expected, 1 something deviates, 2 something is unknown, 3 the testbed failed, 4 bad usage.
    """
    if listed:
        for name, title in titles().items():
            say(f"{name:<22}{title}")
        return Exit.MET
    return compare(Chosen(names, only, export, jobs, broken))


def compare(chosen: Chosen) -> Exit:
    """Raises UsageError for what cannot be done, before anything starts."""
    from shutil import get_terminal_size

    from orchestrator.probes.chosen import Impossible, choose
    from orchestrator.probes.compared import exit_code
    from orchestrator.probes.told import absences, deviations, summary, table, unknowns

    for path in chosen.export:
        _check_file(path)
    try:
        choice = choose(_asked(chosen), engines.NAMES, catalogue(), machine())
    except Impossible as error:
        raise click.UsageError(str(error)) from None
    for note in choice.notes:
        say(note)
    cells = [*choice.cells, *_done(choice.todo, chosen, expected())]
    shown = _in_order(cells)
    width = get_terminal_size((WIDTH, 24)).columns if os.isatty(1) else WIDTH
    for lines in (table(shown, titles(), width), deviations(shown), unknowns(shown), absences(shown)):
        for line in lines:
            say(line)
    say(summary(shown))
    for path in chosen.export:
        _write(path, shown)
    return exit_code(shown)


def _asked(chosen: Chosen) -> Asked:
    """Raises Impossible, UsageError."""
    from orchestrator.probes.chosen import Asked
    from orchestrator.scenario.matrix import hint

    if chosen.broken is None:
        return Asked(chosen.engines, chosen.probes)
    if chosen.engines:
        raise click.UsageError("--broken is a change of one engine's poller; expected no --engine beside it")
    if chosen.broken not in probes.broken():
        raise click.UsageError(f"--broken {chosen.broken}: there is none; {hint(chosen.broken, list(probes.broken()))}")
    return Asked((probes.broken()[chosen.broken].engine,), chosen.probes)


def machine() -> Facts:
    from orchestrator.probes.chosen import Facts

    return Facts(engines.availability, probes.refusal, descriptors.highest(), _privilege)


def catalogue() -> Mapping[str, Probe]:
    """Every probe by its name, in the table's order."""
    return {name: probes.probe(name) for name in probes.names()}


def titles() -> Mapping[str, str]:
    """A line about each."""
    return {name: f"{found.row}{'*' * found.starred}  {name}: {found.title}" for name, found in catalogue().items()}


def expected(system: str = sys.platform) -> Expectations:
    """Of a system that nobody has looked at nothing is expected: all is unknown there."""
    from orchestrator.probes.expectations import read

    path = EXPECTED / f"{system}.yaml"
    return read(path.read_text("utf-8"), path.name) if path.exists() else {}


def _done(todo: Mapping[str, Sequence[str]], chosen: Chosen, known: Expectations) -> Iterator[Cell]:
    from orchestrator.probes.compared import judged
    from orchestrator.probes.performed import Work, performed

    found = catalogue()
    broken = chosen.broken or ""
    works = [Work(engine, {name: found[name].deadline for name in names}, broken) for engine, names in todo.items()]
    with Counted(sum(map(len, todo.values())), monotonic) as progress:
        for done in performed(works, chosen.jobs):
            progress.advance(f"{done.probe} on {done.engine}")
            yield judged(done.probe, done.engine, done.outcome, known.get((done.probe, done.engine)))


def _in_order(cells: Sequence[Cell]) -> list[Cell]:
    rows, places = list(catalogue()), list(engines.NAMES)
    return sorted(cells, key=lambda cell: (rows.index(cell.probe), places.index(cell.engine)))


@cache
def _privilege() -> str | None:
    """It is tried in a namespace, once."""
    from chaos.planes.packet import availability

    return availability.netfilter()


def _host() -> str:
    """What an observation depends on."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = [platform.platform(), f"{platform.python_implementation()} {platform.python_version()}"]
    try:
        found.append(f"uvloop {version('uvloop')}")
    except PackageNotFoundError:
        pass
    return ", ".join(found)


def _check_file(path: Path) -> None:
    from orchestrator.probes.exported import FORMATS

    if path.suffix not in FORMATS:
        raise click.UsageError(f"--export {path}: expected a file that ends in {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise click.UsageError(f"--export {path}: there is no folder {path.parent}; make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.UsageError(f"--export {path}: it cannot be written by this user; name another place")


def _write(path: Path, cells: Sequence[Cell]) -> None:
    from orchestrator.probes.exported import FORMATS

    try:
        path.write_text(FORMATS[path.suffix](cells, titles(), _host()), "utf-8")
    except OSError as error:
        raise click.UsageError(f"--export {path}: {said(error)}") from None
