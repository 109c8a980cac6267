"""What surprised, shrunk to a scenario file that does it again in the simulator; and whether real sockets do it too."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random
from time import process_time
from typing import NamedTuple

from orchestrator.backends import of_processes, ready
from orchestrator.explore.attempt import Surprise, attempt, recorded, surprise
from orchestrator.explore.hunt import Find
from orchestrator.explore.shrink import Shrinking, Shrunk
from orchestrator.explore.written import written
from orchestrator.history.recorded import log_of
from orchestrator.report.result import CellResult, Task
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.log import Log
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import Store, write

LONGEST = 60.0
"""Seconds of CPU time that are spent on shrinking one find."""


class Found(NamedTuple):
    """`path` is the scenario's file, `shrunk` how its cell was come by."""

    path: Path
    shrunk: Shrunk
    surprise: Surprise

    @property
    def cell(self) -> Cell:
        return self.shrunk.cell


def shrunk(find: Find, over: Callable[[], bool] = lambda: False) -> Shrunk:
    """The smallest cell that surprises as it does, or what was reached when it was over."""
    begun = process_time()

    def surprises(cell: Cell) -> bool:
        return _alike(attempt(cell).surprise, find.surprise)

    def ended() -> bool:
        return over() or process_time() - begun > LONGEST

    return Shrinking(surprises, Random(find.cell.seed), _logged, over=ended).of(find.cell)


def _logged(cell: Cell) -> Log | None:
    try:
        return log_of(cell, recorded(cell), cell.scenario)
    except Exception:  # what surprises may be that it fails
        return None


def kept(find: Find, folder: Path, over: Callable[[], bool]) -> Found:
    """Shrink it until that is over, and write it. Raises OSError."""
    small = shrunk(find, over)
    shown = attempt(small.cell).surprise or find.surprise
    folder.mkdir(parents=True, exist_ok=True)
    path = _taken(folder, _name(find))
    text = written(small.cell, path.stem, f"Found by exploring, {small.cell.links[0].semantics}: {shown.told}.")
    try:
        write(path, text.encode())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return Found(path, small, shown)


def on_real_sockets(found: Found) -> str:
    """What a run of it on processes of this machine comes to, in a few words."""
    with tempfile.TemporaryDirectory(prefix="faultbed-") as folder, ready(of_processes().name) as local:
        refused = next(local.problems(found.cell), None)
        if refused is not None:
            return f"not tried: {refused.message}"
        (result,) = run_cells([Task(found.cell)], local, 1, Store(Path(folder), "run"), lambda _: None)
    return _real(found, result)


def _real(found: Found, result: CellResult) -> str:
    if result.judgement is None:
        return f"the run failed: {result.error}"
    shown = surprise(found.cell, result.judgement)
    if shown is None:
        return "it does not surprise there: processes take their own time"
    return f"{'the same' if _alike(shown, found.surprise) else 'something else'}: {shown.told}"


def _alike(one: Surprise | None, other: Surprise) -> bool:
    return one is not None and other.checks[0] in one.checks


def _name(find: Find) -> str:
    link = find.cell.links[0]
    return f"{link.variant or link.semantics}-{find.surprise.checks[0]}"


def _taken(folder: Path, name: str) -> Path:
    """The first file of that name, and a number, that nobody has: made by it, so that no other explorer gets it too."""
    for number in count(1):
        path = folder / (f"{name}-{number}.yaml" if number > 1 else f"{name}.yaml")
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            return path
    raise AssertionError("numbers do not end")
