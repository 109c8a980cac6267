"""`faultbed planes`: which rows of the table of call semantics each plane reaches over each transport."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from orchestrator.commands.endings import say


@click.command()
@click.argument("results", type=click.Path(exists=True, path_type=Path), required=False)
def planes(results: Path | None) -> None:
    """Say which rows of the table of call semantics each plane reaches over each transport, and why not the others.

    With RESULTS, a folder that `faultbed run` made, it judges the recorded runs again and counts the opportunities that
    they made; without it, it names those that every run of the row's scenarios must make.
    """
    from orchestrator.report.planes import lines, reached
    from orchestrator.scenario import shipped

    cells = [cell for plan in shipped.plans([str(shipped.root())]) for cell in plan.cells]
    for line in lines(reached(cells), None if results is None else _made(results)):
        say(line)


def _made(results: Path) -> dict[tuple[str, str, str], Counter[str]]:
    """What the met cells of recorded runs made, by their place in the table."""
    from orchestrator.checkers.expect import judge
    from orchestrator.report.planes import place
    from orchestrator.report.result import CellResult, Exit
    from orchestrator.sweep.store import read_cell, read_run, stored_cells

    made: dict[tuple[str, str, str], Counter[str]] = {}
    for directory in stored_cells(results):
        where = place(cell := read_cell(directory))
        if where is None:
            continue
        judgement = judge(*read_run(directory))
        result = CellResult(cell=cell, repeat=1, seconds=0.0, judgement=judgement, directory=directory)
        if result.exit_code is Exit.MET:
            made.setdefault(where, Counter()).update(judgement.opportunities)
    return made
