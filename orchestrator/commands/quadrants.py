"""`faultbed quadrants`: blocking and not, synchronous and not: how a program waits for one message, lane by lane."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.commands.endings import say
from orchestrator.report.result import Exit

if TYPE_CHECKING:
    from orchestrator.report.quadrants import Row

PATIENCE = 15.0
"""Seconds for one lane, which takes a tenth of one."""
WIDTH = 100


@click.command()
@click.option("--lane", "lanes", multiple=True, metavar="NAME", help="Only this one; may be given several times.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture here, too.")
@click.option("--json", "data", type=click.Path(dir_okay=False, path_type=Path), help="Write what was measured here.")
def quadrants(lanes: tuple[str, ...], svg: Path | None, data: Path | None) -> int:
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
    rows = ordered(_row(name, lanes) for name in NAMES if not lanes or name in lanes)
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


FAILED = "it failed: "


def _row(name: str, asked: Sequence[str]) -> Row:
    from faultbed import part
    from nodes.lanes import lane
    from orchestrator.report.quadrants import Row, Seen

    found = lane(name)
    if reason := found.availability():
        if asked:
            raise click.UsageError(f"lane {name}: {reason}")
        return Row(name, found.LANE, None, f"not here: {reason}")
    try:
        run = subprocess.run(
            [*part.command("lanes"), name], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return Row(name, found.LANE, None, f"{FAILED}no end within {PATIENCE:.0f} s")
    if run.returncode:
        return Row(name, found.LANE, None, f"{FAILED}{run.stderr.strip()[-500:] or f'exit code {run.returncode}'}")
    return Row(name, found.LANE, Seen.model_validate_json(run.stdout))


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
