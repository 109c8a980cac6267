"""How the run of a cell of our own nodes is conducted in a session, whichever backend made it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from nodes.ops import Program
from orchestrator.backends.backend import CellFolder, Recorded, Runner
from orchestrator.backends.interrupts import Interrupts
from orchestrator.backends.real import RealSession
from orchestrator.backends.real_time import run as run_in_real_time
from orchestrator.history.collected import Collected
from orchestrator.run.conductor import Conductor
from orchestrator.scenario.cell import Cell

Made = TypeVar("Made", bound=Recorded)


def conducted(
    session_of: Callable[[Cell, CellFolder], AbstractContextManager[Made]],
    perform: Callable[[Program, Made], Any],
    interrupts: Interrupts,
) -> Runner:
    """Whatever happens in the run, nothing runs any more after it, and what is known is kept."""

    def run(cell: Cell, folder: CellFolder, collect: Callable[[Collected], None]) -> None:
        with session_of(cell, folder) as session:
            interrupts.enter(session)
            try:
                perform(Conductor(cell, session).program(), session)
            finally:
                interrupts.leave(session)
                session.close()
                collect(session.collect())

    return run


def real(session_of: Callable[[Cell, Path], RealSession], interrupts: Interrupts) -> Runner:
    """In a session of real processes, made for its cell and the folder of its evidence."""
    return conducted(lambda cell, folder: session_of(cell, folder.logs), run_in_real_time, interrupts)
