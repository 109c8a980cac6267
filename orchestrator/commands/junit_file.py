"""`--junit FILE`: what a command came to, for CI, however it ended: an earlier run's file never stands for this one."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType

import click

from orchestrator.commands.endings import complain, exit_of, message_of
from orchestrator.report.result import CellResult, Ending, Refusal
from orchestrator.report.told import Told
from orchestrator.scenario.cell import Cell
from orchestrator.sweep.failures import said
from orchestrator.sweep.outputs import try_file
from orchestrator.sweep.store import write


class JUnitFile:
    """A context manager around the whole command, which fills it in; without a path nothing is written.

    `ending` is what ended the command without an exception, other than its cells.
    """

    def __init__(self, path: Path | None) -> None:
        """Raises UsageError: nothing can be written there."""
        try:
            self._path = None if path is None else try_file(path)
        except OSError as error:
            raise click.UsageError(f"--junit {path}: {said(error)}; expected a file that can be written") from None
        self.results: list[CellResult] = []
        self.skipped: list[Cell] = []
        self.left_out: list[Refusal] = []
        self.ending: Ending | None = None

    @cached_property
    def told(self) -> Told:
        """Asked for when no more comes."""
        return Told(self.results, self.skipped, self.left_out)

    def __enter__(self) -> JUnitFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._path is None:
            return
        from orchestrator.report.junit import junit  # what it imports is a twentieth of a command's start

        ending = self.ending if error is None else Ending(exit_of(error), message_of(error))
        try:
            write(self._path, junit(self.told, ending))
        except OSError as failure:
            if error is None:
                raise
            complain(f"--junit {self._path}: {said(failure)}")  # the error itself is told after it
