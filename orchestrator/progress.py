"""How far a run is, for people: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from orchestrator.result import CellResult, Exit


class Progress:
    """A context manager; `advance` is called once per finished cell, from one thread at a time."""

    def __init__(self, total: int, stream: TextIO) -> None:
        console = Console(file=stream)
        self._bar = Bar(
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=total)
        self._wrong = 0

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, result: CellResult) -> None:
        self._wrong += result.exit_code is not Exit.MET
        wrong = f"[red]{self._wrong} not as expected[/red] " if self._wrong else ""
        cell = f"{result.cell.scenario} {result.cell.cell}".replace("[", r"\[")
        self._bar.update(self._task, advance=1, description=wrong + cell)
