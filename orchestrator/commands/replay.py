"""`faultbed replay`: the cells of a recorded run, each with the log of what was done in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.commands.run import Command, Tasks
from orchestrator.history.recorded import NoLog, log_of
from orchestrator.report.result import Task
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import Plan
from orchestrator.sweep.store import StoreError, read_run, settled, stored_cells
from orchestrator.sweep.whole import counted


class Replay(Command):
    """One call of `faultbed replay`."""

    def _tasks(self, wanted: Sequence[Cell]) -> Tasks:
        return Again(wanted)

    def _next(self, scenario: str) -> Iterator[str]:
        yield f"  faultbed check {self._path(scenario)}   what was replayed"


class Again(Tasks):
    """Every recorded run of a cell once more, under its recorded seed. Each repeat of a cell is a cell here."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        seen: Counter[str] = Counter()
        self._tasks = []
        for cell in cells:
            seen[cell.cell] += 1
            self._tasks.append(Task(cell, seen[cell.cell]))
        super().__init__([task.cell for task in self._tasks if task.repeat == 1], None, max(seen.values()))

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks)


def recorded(path: Path) -> Plan:
    """What is to be replayed. Raises StoreError for anything but a whole run, or a whole run of a cell."""
    path = settled(path)
    folders = stored_cells(path)
    for run in counted(path).short:
        lack = f"{run.there} of {run.due} cell runs are there"
        raise StoreError(
            f"{run.run}: it was cut short: {lack}; expected a whole run, or the folder of one of its cells"
        )
    if len(runs := {folder.parent for folder in folders}) > 1:
        raise StoreError(f"{path}: it holds {len(runs)} runs; expected one of them, such as {folders[0].parent}")
    cells = tuple(_with_log(folder) for folder in folders)
    return Plan(cells[0].scenario, cells[0].about, path, cells, named=False)


def _with_log(folder: Path) -> Cell:
    cell, history, plan = read_run(folder)
    if not history.plan:
        raise StoreError(f"{folder}: an older version recorded it, without saying of which plan it is; run it again")
    if history.plan != plan:
        raise StoreError(f"{folder}: its history is of another plan than its plan.json; put back the plan of this run")
    try:
        return cell.model_copy(update={"log": log_of(cell, history, str(folder))})
    except NoLog as error:
        raise StoreError(f"{folder}: it cannot be replayed: {error}") from None
