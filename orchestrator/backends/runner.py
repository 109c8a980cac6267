"""What a backend gives: a runner of cells, and sessions that are collected when their run has ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from orchestrator.history.collected import Collected
from orchestrator.run.session import Session
from orchestrator.scenario.cell import Cell


class CellFolder(Protocol):
    """The folder of one run of one cell; `logs` in it is the home of its processes."""

    directory: Path
    logs: Path


class Runner(Protocol):
    """A backend for one cell: conduct the run, and give what it left."""

    def __call__(self, cell: Cell, folder: CellFolder, collect: Callable[[Collected], None]) -> None: ...


class Recorded(Session, Protocol):
    """A session whose evidence can be had in the end."""

    def collect(self) -> Collected:
        """Read every journal and ledger. Raises JournalError or LedgerError: the evidence is broken."""
