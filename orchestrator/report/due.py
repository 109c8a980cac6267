"""PURE: what a run is to have. Its folder says so from its start, so that one that was cut short is known by it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import ClassVar, NamedTuple

from pydantic import ConfigDict, Field

from orchestrator.scenario.cell import Cell
from orchestrator.scenario.folder_names import cell_folder
from orchestrator.scenario.value import Value


class DueCell(Value):
    """A cell by its name, with its axes' values."""

    cell: str
    values: tuple[str, ...]


class Due(Value):
    """One scenario's run: each of `cells`, `repeats` times. Older versions did not write down of which scenario."""

    scenario: str = ""
    cells: tuple[DueCell, ...]
    repeats: int = Field(ge=1)

    def __len__(self) -> int:
        return len(self.cells) * self.repeats

    def runs(self) -> Iterator[tuple[str, str]]:
        """-> (what a cell's run is called, its folder)."""
        for repeat in range(1, self.repeats + 1):
            for one in self.cells:
                yield _told(one.cell, repeat), cell_folder(one.values, repeat)


class EndedCell(Value):
    """A cell's run that came to something, and its folder, None if nothing is kept; the rest is for others to read."""

    model_config = ConfigDict(extra="ignore")

    cell: str
    repeat: int
    directory: str | None


class Ended(Value):
    """What a run's summary.json knows of its cells: those that had ended, which are all if nothing ended it early."""

    model_config = ConfigDict(extra="ignore")
    scenario: ClassVar[str] = ""

    cells: tuple[EndedCell, ...]

    def __len__(self) -> int:
        return sum(1 for _ in self.runs())

    def runs(self) -> Iterator[tuple[str, str]]:
        """As those of Due."""
        for one in self.cells:
            if one.directory is not None:
                yield _told(one.cell, one.repeat), one.directory


def _told(cell: str, repeat: int) -> str:
    return f"{cell} repeat={repeat}" if repeat > 1 else cell


class Shortfall(NamedTuple):
    """What a run's folder lacks of the `due` runs of cells: those that left no history, and those never begun."""

    run: str
    due: int
    lost: tuple[str, ...]
    absent: tuple[str, ...]

    @property
    def there(self) -> int:
        return self.due - len(self.lost) - len(self.absent)


def due(cells: Iterable[Cell], repeats: int) -> dict[str, Due]:
    """By scenario."""
    found: dict[str, list[DueCell]] = {}
    for cell in cells:
        found.setdefault(cell.scenario, []).append(DueCell(cell=cell.cell, values=tuple(cell.axes.values())))
    return {
        scenario: Due(scenario=scenario, cells=tuple(wanted), repeats=repeats) for scenario, wanted in found.items()
    }


def shortfall(run: str, wanted: Due | Ended, kept: Collection[str], begun: Collection[str]) -> Shortfall | None:
    """None if nothing is lacking. `kept` are the folders with a history, `begun` all that there are."""
    missing = [(told, folder) for told, folder in wanted.runs() if folder not in kept]
    if not missing:
        return None
    lost = tuple(told for told, folder in missing if folder in begun)
    return Shortfall(run, len(wanted), lost, tuple(told for told, folder in missing if folder not in begun))
