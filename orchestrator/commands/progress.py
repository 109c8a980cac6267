"""How far a run is, for people: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO, cast

from orchestrator.report.result import CellResult, Exit

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


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
        self._bar = _bar(stream) if stream.isatty() else None
        self._total = total
        self._wrong = 0

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
            self._bar.add_task("", total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, result: CellResult) -> None:
        if self._bar is None:
            return
        self._wrong += result.exit_code is not Exit.MET
        wrong = f"[red]{self._wrong} not as expected[/red] " if self._wrong else ""
        cell = f"{result.cell.scenario} {result.cell.cell}".replace("[", r"\[")
        (task,) = self._bar.task_ids
        self._bar.update(task, advance=1, description=wrong + cell)


PAUSE = 2.0
"""Seconds that somebody waits without wondering."""


class Counted:
    """As `Progress`, of so many things with a name each; nothing is shown of what is over within PAUSE."""

    def __init__(self, total: int, clock: Callable[[], float], stream: TextIO | None = None) -> None:
        self._total, self._clock, self._done = total, clock, 0
        self._stream = stream or sys.stderr
        self._begun = clock()
        self._bar: Bar | None = None

    def __enter__(self) -> Counted:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, name: str) -> None:
        self._done += 1
        if self._bar is None and self._stream.isatty() and self._clock() - self._begun >= PAUSE:
            self._bar = _bar(self._stream)
            self._bar.start()
            self._bar.add_task("", total=self._total)
        if self._bar is not None:
            (task,) = self._bar.task_ids
            self._bar.update(task, completed=self._done, description=name)


def _bar(stream: TextIO) -> Bar:
    from rich.console import Console  # only where there is somebody to look at it: it takes a while to import
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=Console(file=cast(TextIO, Forgiving(stream))), transient=True)
