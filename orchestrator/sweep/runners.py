"""The backends by name: each opens what its cells share, and gives what runs one cell on it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from orchestrator.backends.attach.fleet import Fleet
from orchestrator.backends.interrupts import Interrupts
from orchestrator.backends.local import LocalSession
from orchestrator.backends.namespaces import NamespaceSession
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real import RealSession
from orchestrator.backends.real_time import run as run_in_real_time
from orchestrator.backends.runner import CellFolder, Recorded, Runner
from orchestrator.backends.sim import SimSession
from orchestrator.backends.sim import run as run_in_virtual_time
from orchestrator.history.collected import Collected
from orchestrator.run.conductor import Conductor
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Cell


class Options(NamedTuple):
    """What the backends can be told. Docker: the image of nodes and that of Toxiproxy, None for the usual ones.
    Attach: the agents."""

    image: str | None = None
    toxiproxy_image: str | None = None
    fleet: Fleet | None = None


Open = Callable[[Options, Interrupts], AbstractContextManager[Runner]]
"""Raises SessionError where the backend cannot be had."""


@contextmanager
def _local(options: Options, interrupts: Interrupts) -> Iterator[Runner]:
    with Supervisor(secrets.token_hex(8)) as supervisor, ExitStack() as used:
        ours = real(lambda cell, home: local_session(supervisor, cell, home), interrupts)

        @cache
        def systems() -> Runner:
            from orchestrator.backends.compose.backend import Systems  # the engine's client takes a while to import

            return used.enter_context(closing(Systems(supervisor, options.image, options.toxiproxy_image, interrupts)))

        yield _or_system(ours, systems)


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


def local_session(supervisor: Supervisor, cell: Cell, home: Path) -> RealSession:
    """On loopback; where packets have faults every node has a network of its own. Raises SessionError."""
    if "packet" in planes(cell):
        return NamespaceSession(supervisor, home, cell)
    return LocalSession(supervisor, home)


@contextmanager
def _docker(options: Options, interrupts: Interrupts) -> Iterator[Runner]:
    from orchestrator.backends.docker.backend import DockerBackend  # the SDK takes a while to import
    from orchestrator.backends.docker.session import DockerSession

    with (
        Supervisor(secrets.token_hex(8)) as supervisor,
        DockerBackend.open(supervisor, options.image, options.toxiproxy_image) as backend,
    ):
        yield real(lambda cell, home: DockerSession(backend, home), interrupts)


@contextmanager
def _attach(options: Options, interrupts: Interrupts) -> Iterator[Runner]:
    from orchestrator.backends.attach.session import AttachSession

    fleet = options.fleet
    assert fleet is not None, "the agents are connected before the plan is checked against them"
    yield real(lambda cell, home: AttachSession(fleet, cell, home), interrupts)


@contextmanager
def _sim(options: Options, interrupts: Interrupts) -> Iterator[Runner]:
    def run(cell: Cell, folder: CellFolder, collect: Callable[[Collected], None]) -> None:
        with SimSession(cell.seed) as session:
            interrupts.enter(session)
            try:
                run_in_virtual_time(Conductor(cell, session).program(), session)
            finally:
                interrupts.leave(session)
                _collect(session, collect)

    yield run


OPEN: MappingProxyType[str, Open] = MappingProxyType(
    {"local": _local, "sim": _sim, "docker": _docker, "attach": _attach}
)
BACKENDS = tuple(OPEN)


def real(session_of: Callable[[Cell, Path], RealSession], interrupts: Interrupts) -> Runner:
    """What runs a cell in a session of real processes, made for its cell and the folder of its evidence."""

    def run(cell: Cell, folder: CellFolder, collect: Callable[[Collected], None]) -> None:
        with session_of(cell, folder.logs) as session:
            interrupts.enter(session)
            try:
                run_in_real_time(Conductor(cell, session).program(), session)
            finally:
                interrupts.leave(session)
                _collect(session, collect)

    return run


def _collect(session: Recorded, collect: Callable[[Collected], None]) -> None:
    """Whatever happened, nothing runs any more and what is known is kept."""
    session.close()
    collect(session.collect())
