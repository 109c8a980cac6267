"""How far a run is, for people: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Any, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from orchestrator.report.result import CellResult, Exit


class Forgiving:
    """A terminal that may be closed meanwhile: what cannot be shown any more is no reason to end a run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            pass


class Progress:
    """A context manager; `advance` is called once per finished cell, from one thread at a time."""

    def __init__(self, total: int, stream: TextIO) -> None:
        console = Console(file=cast(TextIO, Forgiving(stream)))
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
