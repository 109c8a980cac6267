"""Whether a run's folder holds what it was to hold: each cell's run that was due, once, in the folder that is its."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from orchestrator.report.due import Due, Ended, Shortfall, shortfall
from orchestrator.scenario.cell import Cell
from orchestrator.sweep.store import DUE, HISTORY, SUMMARY, StoreError, having, meant, read_cell, read_wanted


class Counted(NamedTuple):
    """Which runs are `short` of what they were to have, and of which it is `unknown`, and why."""

    short: list[Shortfall]
    unknown: list[str]


def counted(path: Path) -> Counted:
    """Of the runs at or below `path`; none if it is a cell's folder, or a file. Raises StoreError: one holds what it
    was not to hold."""
    path = meant(path)
    short, unknown = [], []
    for run in _runs(path):
        wanted = read_wanted(run)
        if not isinstance(wanted, Due):
            unknown.append(f"{run}: {_unknown(wanted)}")
        if (found := _shortfall(run, wanted)) is not None:
            short.append(found)
    return Counted(short, unknown)


def _runs(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    cells = {folder.parent for folder in having(path, HISTORY) if folder != path}
    return sorted({*having(path, DUE), *having(path, SUMMARY), *cells})


def _unknown(wanted: Ended | None) -> str:
    if wanted is None:
        return f"without {DUE} nobody knows how many cell runs it was to have"
    return f"without {DUE} nobody knows of more cell runs than the {len(wanted)} that its {SUMMARY} has"


def _shortfall(run: Path, wanted: Due | Ended | None) -> Shortfall | None:
    begun = {folder.name: folder for folder in run.iterdir() if folder.is_dir()}
    kept = {name: folder for name, folder in begun.items() if os.path.lexists(folder / HISTORY)}
    _check(run, kept.values(), wanted)
    return None if wanted is None else shortfall(str(run), wanted, kept, begun)


def _check(run: Path, kept: Iterable[Path], wanted: Due | Ended | None) -> None:
    """Raises StoreError for the first folder that is not what it stands for."""
    known = {folder for _, folder in wanted.runs()} if isinstance(wanted, Due) else None
    scenario = wanted.scenario if wanted else ""
    held: dict[tuple[str, int], str] = {}
    for folder, cell in _cells(kept):
        scenario = scenario or cell.scenario
        if cell.scenario != scenario:
            raise StoreError(f"{folder}: it holds a cell of {cell.scenario}; expected one of {scenario}, as its run is")
        if known is not None and folder.name not in known:
            raise StoreError(f"{folder}: it holds the cell {cell.cell}; expected only what the {DUE} of its run names")
        first = held.setdefault((cell.cell, cell.seed), folder.name)
        if first != folder.name:
            what = f"the cell {cell.cell} with seed {cell.seed}, as {first} does"
            raise StoreError(f"{folder}: it holds {what}; expected each run of a cell in one folder")


def _cells(kept: Iterable[Path]) -> Iterator[tuple[Path, Cell]]:
    for folder in sorted(kept):
        if folder.is_symlink():
            raise StoreError(f"{folder}: it is a link; expected the folder of a cell's run itself")
        yield folder, read_cell(folder)
