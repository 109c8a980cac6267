"""`--junit FILE`: what a command came to, for CI, however it ended: an earlier run's file never stands for this one."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import click

from orchestrator.document import BadScenario
from orchestrator.report.junit import Ending, junit
from orchestrator.result import CellResult, Exit
from orchestrator.scenario import Cell
from orchestrator.store import StoreError, write


class JUnitFile:
    """A context manager around the whole command, which fills it in; without a path nothing is written.

    `ending` is what ended the command without an exception, other than its cells.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.results: list[CellResult] = []
        self.skipped: list[Cell] = []
        self.ending: Ending | None = None

    def __enter__(self) -> JUnitFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is None:
            return
        ending = self.ending if error is None else ending_of(error)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write(self._path, junit(self.results, self.skipped, ending))
        except OSError as failure:
            if error is None:
                raise
            click.echo(f"faultbed: --junit {self._path}: {failure}", err=True)  # the error itself is told after it


def ending_of(error: BaseException) -> Ending:
    if isinstance(error, click.ClickException):
        return Ending(Exit.USAGE, error.format_message())
    if isinstance(error, BadScenario | StoreError):
        return Ending(Exit.USAGE, str(error))
    if isinstance(error, KeyboardInterrupt | click.Abort | BrokenPipeError):
        return Ending(Exit.INTERRUPTED, str(error) or "interrupted")
    return Ending(Exit.TESTBED, str(error) or type(error).__name__)
