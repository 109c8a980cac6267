"""The local backend: processes on this machine. A system that is not ours runs here too, as its compose project."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.problem import Problem
from nodes.descriptors import highest, limit
from orchestrator.backends.backend import Backend, CellFolder, Finding, Options, Runner, Swept, unconnected
from orchestrator.backends.compose.backend import BACKEND as COMPOSE
from orchestrator.backends.interrupts import Interrupts
from orchestrator.backends.refusals import descriptors, engines, files, limits, offers, one_host, places
from orchestrator.history.collected import Collected
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Cell

if TYPE_CHECKING:
    from orchestrator.backends.host import Host
    from orchestrator.backends.processes import Supervisor
    from orchestrator.backends.real import RealSession

NAME = "local"


def _problems(cell: Cell) -> Iterator[Problem]:
    yield from engines(cell)
    yield from offers(cell)
    yield from limits(cell, NAME, frozenset({"files"}))
    yield from files(cell, highest())
    yield from descriptors(cell, limit())
    yield from places(cell, NAME)
    yield from one_host(cell, shared="packet" not in planes(cell))
    if cell.system is not None:
        yield from COMPOSE.problems(cell)


@contextmanager
def _open(options: Options, interrupts: Interrupts) -> Iterator[Runner]:
    from orchestrator.backends.conducting import real
    from orchestrator.backends.processes import Supervisor

    with Supervisor(secrets.token_hex(8)) as supervisor, ExitStack() as used:
        ours = real(lambda cell, home: _session(supervisor, cell, home), interrupts)

        @cache
        def systems() -> Runner:
            compose = used.enter_context(COMPOSE.connect(options))
            return used.enter_context(compose.open(interrupts))

        yield _or_system(ours, systems)


@contextmanager
def _hosts(home: Path) -> Iterator[Mapping[str, Host]]:
    from orchestrator.backends.processes import Supervisor
    from orchestrator.backends.this_machine import LocalHost, command_line

    with Supervisor(secrets.token_hex(8)) as supervisor:
        yield {"": LocalHost(supervisor, home.absolute(), command_line)}


def _or_system(ours: Runner, systems: Callable[[], Runner]) -> Runner:
    """Cells of our own nodes run as `ours`, and those of a system that is not ours in their compose projects."""
    lock = threading.Lock()

    def run(cell: Cell, folder: CellFolder, collect: Callable[[Collected], None]) -> None:
        if cell.system is None:
            runner = ours
        else:
            with lock:
                runner = systems()
        runner(cell, folder, collect)

    return run


def _session(supervisor: Supervisor, cell: Cell, home: Path) -> RealSession:
    """On loopback; where packets have faults every node has a network of its own. Raises SessionError."""
    from orchestrator.backends.local.namespaces import NamespaceSession
    from orchestrator.backends.local.session import LocalSession

    if "packet" in planes(cell):
        return NamespaceSession(supervisor, home, cell)
    return LocalSession(supervisor, home)


def _engine(cells: Sequence[Cell]) -> dict[str, str] | None:
    return COMPOSE.engine([cell for cell in cells if cell.system is not None])


def _findings() -> Iterator[Finding]:
    from orchestrator.backends.local.findings import findings

    return findings()


def _sweep() -> Swept:
    from orchestrator.backends.local.switch import sweep

    return sweep()


BACKEND = Backend(
    NAME,
    place=0,
    about="real processes and sockets",
    problems=_problems,
    connect=unconnected(NAME, _open, _hosts),
    options=COMPOSE.options,
    engine=_engine,
    findings=_findings,
    sweep=_sweep,
)
