"""`faultbed quadrants`: blocking and not, synchronous and not: how a program waits for one message, lane by lane."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.backends import named
from orchestrator.commands.backend_options import backend_options, options_of
from orchestrator.commands.endings import say
from orchestrator.report.result import Exit

if TYPE_CHECKING:
    from orchestrator.backends.host import Host
    from orchestrator.report.quadrants import Row

PATIENCE = 30.0
"""Seconds for one lane, which takes a tenth of one, or a second in a container."""
WIDTH = 100
FAILED = "it failed: "


@click.command()
@click.option("--lane", "lanes", multiple=True, metavar="NAME", help="Only this one; may be given several times.")
@backend_options
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture here, too.")
@click.option("--json", "data", type=click.Path(dir_okay=False, path_type=Path), help="Write what was measured here.")
def quadrants(lanes: tuple[str, ...], svg: Path | None, data: Path | None, backend: str, **given: Any) -> int:
    """Show how a program can wait for one message: a lane for each way, from its call to its message.

    Each lane is a process of its own, whose peer sends one message after 60 ms. Measured are when control returned,
    when the data was there, when the program was told and when it had it; how long it was blocked, how often a call
    said EAGAIN, its CPU time and context switches, and what else it could do meanwhile.

    The exit code is 1 if a lane did not do what is said of it, 3 if one failed.
    """
    from nodes.lanes import NAMES
    from orchestrator.report.quadrants import deviations, ordered, unknown

    if problem := unknown(lanes, NAMES):
        raise click.UsageError(problem)
    rows = ordered(_rows(lanes or NAMES, backend, given))
    if missing := [row for row in rows if lanes and row.seen is None and not row.problem.startswith(FAILED)]:
        raise click.UsageError(f"lane {missing[0].name}: {missing[0].problem}")
    _show(rows, svg)
    if data is not None:
        told = {row.name: row.seen.model_dump() if row.seen else row.problem for row in rows}
        data.write_text(json.dumps(told, indent=2) + "\n")
    wrong = [line for row in rows for line in deviations(row)]
    for line in wrong:
        say(f"not as expected: {line}")
    return _code(rows, wrong)


def _code(rows: Sequence[Row], wrong: Sequence[str]) -> int:
    if any(row.seen is None and row.problem.startswith(FAILED) for row in rows):
        return Exit.TESTBED
    return Exit.UNMET if wrong else Exit.MET


def _rows(lanes: Sequence[str], backend: str, given: Mapping[str, Any]) -> Iterator[Row]:
    """Of each place, one lane after another: side by side they would take one another's processor."""
    chosen = named(backend)
    with chosen.connect(options_of(chosen, given)) as ready, tempfile.TemporaryDirectory(prefix="faultbed-") as home:
        if ready.hosts is None:
            raise click.UsageError(f"--backend {backend}: it has no sockets of a real system; expected another one")
        with ready.hosts(Path(home)) as hosts:
            for place, host in hosts.items():
                numbers = count(1)
                yield from (_row(lane, place, host, Path(home), next(numbers)) for lane in lanes)


def _row(name: str, place: str, host: Host, home: Path, number: int) -> Row:
    from nodes.lanes import lane
    from orchestrator.backends.parts import told
    from orchestrator.report.quadrants import Row, seen_of

    called = f"{place}: {name}" if place else name
    lines, problem = told(host, "lanes", [name.replace("_", "-")], home, number, PATIENCE)
    if problem:
        return Row(called, lane(name).LANE, None, f"{FAILED}{problem}")
    seen, missing = seen_of(lines)
    return Row(called, lane(name).LANE, seen, f"not here: {missing}" if missing else "")


def _show(rows: Sequence[Row], svg: Path | None) -> None:
    from rich.console import Console

    from orchestrator.report.quadrants import grid, picture, table
    from orchestrator.report.table import render

    width = max(WIDTH, shutil.get_terminal_size().columns)
    lines = [*picture(rows, width), "", *render(grid(rows), ""), "", *render(table(rows), ""), *_left_out(rows)]
    for line in lines:
        say(line)
    if svg is not None:
        console = Console(record=True, width=max(map(len, lines)), file=io.StringIO())
        for line in lines:
            console.print(line, markup=False, highlight=False, no_wrap=True)
        console.save_svg(str(svg), title="faultbed quadrants")


def _left_out(rows: Sequence[Row]) -> Iterator[str]:
    return (f"{row.name}: {row.problem}" for row in rows if row.seen is None)
