"""`faultbed probe`: what each engine's own multiplexer does, beside what is expected of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from nodes import descriptors, engines, probes
from nodes.probes.common.facts import host
from nodes.probes.common.probe import Probe
from orchestrator.backends import named, of_processes
from orchestrator.backends.backend import Options
from orchestrator.commands.backend_options import backend_options, options_of
from orchestrator.commands.endings import say
from orchestrator.commands.progress import Counted
from orchestrator.report.result import Exit
from orchestrator.sweep.failures import said
from orchestrator.sweep.outputs import try_file
from orchestrator.sweep.store import write

if TYPE_CHECKING:
    from orchestrator.backends.host import Host
    from orchestrator.backends.parts import Part
    from orchestrator.probes.chosen import Asked, Choice, Facts
    from orchestrator.probes.compared import Cell
    from orchestrator.probes.expectations import Expectations

JOBS = 4
"""Most of the time they wait."""
WIDTH = 120
TO_ASK = 60.0
"""Seconds that a place has to say what it can do."""
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
@click.option("--list", "listed", is_flag=True, help="Name the probes and what each engine offers, and end.")
@backend_options
def probe(
    names: tuple[str, ...],
    only: tuple[str, ...],
    export: tuple[Path, ...],
    jobs: int,
    broken: str | None,
    listed: bool,
    backend: str,
    **given: Any,
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
        _list()
        return Exit.MET
    return compare(Chosen(names, only, export, jobs, broken), backend, options_of(named(backend), given))


def _list() -> None:
    from orchestrator.report.engines import listed, row

    for title in titles().values():
        say(title)
    say("")
    for line in listed(map(row, engines.NAMES)):
        say(line)


def compare(chosen: Chosen, backend: str, options: Options) -> Exit:
    """Raises UsageError for what cannot be done, before anything starts."""
    for path in chosen.export:
        _check_file(path)
    here = of_processes().name
    choice = _choice(chosen, machine()) if backend == here else None
    with named(backend).connect(options) as ready, TemporaryDirectory(prefix="faultbed-") as home:
        if ready.hosts is None:
            raise click.UsageError(f"--backend {backend}: it has no sockets of a real system; expected another one")
        with ready.hosts(Path(home)) as hosts:
            if chosen.export and len(hosts) > 1:
                raise click.UsageError(f"--export is of one place, and there are {len(hosts)}: {', '.join(hosts)}")
            codes = [_at(Place(name, host, Path(home)), chosen, choice) for name, host in hosts.items()]
    return next(code for code in WORST_FIRST if code in codes)


WORST_FIRST = (Exit.UNMET, Exit.INCONCLUSIVE, Exit.MET)


class Place(NamedTuple):
    """Where probes are done; its name is "" if there is no other one. `home` is for what they say on standard error."""

    name: str
    host: Host
    home: Path


def _at(place: Place, chosen: Chosen, choice: Choice | None) -> Exit:
    """`choice` is made already where this machine is asked."""
    from orchestrator.backends.parts import Part
    from orchestrator.probes.compared import exit_code

    numbers = count(1)

    def begin(arguments: Sequence[str]) -> Part:
        return Part(place.host, "probes", arguments, place.home, next(numbers))

    if place.name:
        say(f"{place.name}:")
    system, where = sys.platform, host()
    if choice is None:
        told = _told(begin, place)
        system, where = str(told["system"]), str(told["host"])
        choice = _choice(chosen, elsewhere(told))
    for note in choice.notes:
        say(note)
    shown = _in_order([*choice.cells, *_done(choice.todo, chosen, expected(system), begin)])
    _show(shown)
    for path in chosen.export:
        _write(path, shown, where)
    return exit_code(shown)


def _choice(chosen: Chosen, facts: Facts) -> Choice:
    """Raises UsageError."""
    from orchestrator.probes.chosen import Impossible, choose

    try:
        return choose(_asked(chosen), engines.NAMES, catalogue(), facts)
    except Impossible as error:
        raise click.UsageError(str(error)) from None


def _told(begin: Callable[[Sequence[str]], Part], place: Place) -> dict[str, Any]:
    """What can be done there. Raises SessionError."""
    from orchestrator.run.session import SessionError

    asked = begin(["facts"])
    try:
        lines = list(asked.lines(TO_ASK))
    except TimeoutError:
        lines = []
    finally:
        asked.kill()
    if len(lines) != 1:
        raise SessionError(f"{place.name or 'it'} does not say what it can probe: {asked.problem or 'no answer'}")
    told: dict[str, Any] = json.loads(lines[0])
    return told


def elsewhere(told: Mapping[str, Any]) -> Facts:
    from orchestrator.probes.chosen import Facts

    reasons = told["engines"]
    unknown = "it is not known there"
    return Facts(lambda name: reasons.get(name, unknown), probes.refusal, told["files"], lambda: told["privilege"])


def _show(shown: Sequence[Cell]) -> None:
    from shutil import get_terminal_size

    from orchestrator.probes.told import absences, deviations, summary, table, unknowns

    width = get_terminal_size((WIDTH, 24)).columns if os.isatty(1) else WIDTH
    for lines in (table(shown, titles(), width), deviations(shown), unknowns(shown), absences(shown)):
        for line in lines:
            say(line)
    say(summary(shown))


def _asked(chosen: Chosen) -> Asked:
    """Raises Impossible, UsageError."""
    from orchestrator.probes.chosen import Asked
    from orchestrator.scenario.matrix import hint

    if chosen.broken is None:
        return Asked(chosen.engines, chosen.probes, chosen.jobs)
    if chosen.engines:
        raise click.UsageError("--broken is a change of one engine's poller; expected no --engine beside it")
    if chosen.broken not in probes.broken():
        raise click.UsageError(f"--broken {chosen.broken}: there is none; {hint(chosen.broken, list(probes.broken()))}")
    return Asked((probes.broken()[chosen.broken].engine,), chosen.probes, chosen.jobs)


def machine() -> Facts:
    from orchestrator.probes.chosen import Facts

    return Facts(engines.availability, probes.refusal, descriptors.highest(), _privilege, descriptors.limit())


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


def _done(
    todo: Mapping[str, Sequence[str]], chosen: Chosen, known: Expectations, begin: Callable[[Sequence[str]], Part]
) -> Iterator[Cell]:
    from orchestrator.probes.compared import judged
    from orchestrator.probes.performed import Work, performed

    found = catalogue()
    broken = chosen.broken or ""
    works = [Work(engine, {name: found[name].deadline for name in names}, broken) for engine, names in todo.items()]
    with Counted(sum(map(len, todo.values())), monotonic) as progress:
        for done in performed(works, chosen.jobs, begin):
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


def _check_file(path: Path) -> None:
    from orchestrator.probes.exported import FORMATS

    if path.suffix not in FORMATS:
        raise click.UsageError(f"--export {path}: expected a file that ends in {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise click.UsageError(f"--export {path}: there is no folder {path.parent}; make it first")
    try:
        try_file(path)
    except OSError as error:
        raise click.UsageError(f"--export {path}: {said(error)}; expected a file that can be written") from None


def _write(path: Path, cells: Sequence[Cell], where: str) -> None:
    """The whole file or none. Raises OSError."""
    from orchestrator.probes.exported import FORMATS

    write(try_file(path), FORMATS[path.suffix](cells, titles(), where).encode())
