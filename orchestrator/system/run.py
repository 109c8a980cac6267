"""Runs one cell of a system that is not ours: its project up, the run, what the oracle says, the project down."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from nodes.control import ORCHESTRATOR_VARIABLE, RUN_VARIABLE
from orchestrator import oracles
from orchestrator.backends import Collected, SessionError
from orchestrator.backends.docker.backend import TOXIPROXY
from orchestrator.backends.docker.labels import Owner
from orchestrator.backends.interrupts import Interrupts
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real_time import run as run_in_real_time
from orchestrator.history import Ledger
from orchestrator.image import check_image, image_name
from orchestrator.leftovers import place
from orchestrator.oracles.effects import Effect, ledger
from orchestrator.oracles.places import Places
from orchestrator.scenario import Cell
from orchestrator.store import CellStore
from orchestrator.system.conductor import SystemConductor
from orchestrator.system.override import Behind, override, text
from orchestrator.system.project import ComposeProject, check_compose
from orchestrator.system.proxy import relay_service, toxiproxy_service
from orchestrator.system.scenario import System
from orchestrator.system.session import SystemSession

OVERRIDE = "compose.override.yml"
LOG = "compose.log"
READINGS = 20
"""How often an oracle is asked at most until two of its answers are alike: what was under way then is done."""


class SystemRunner:
    """See orchestrator.runners.Runner; the images are those of the proxy, None for the usual ones."""

    def __init__(
        self, supervisor: Supervisor, image: str | None, toxiproxy_image: str | None, interrupts: Interrupts
    ) -> None:
        self._supervisor = supervisor
        self._image = image or image_name()
        self._toxiproxy_image = toxiproxy_image or TOXIPROXY
        self._interrupts = interrupts

    def __call__(self, cell: Cell, folder: CellStore, collect: Callable[[Collected], None]) -> None:
        """Raises SessionError, RunFailed: nothing of the project is left then either."""
        system = cell.system
        assert system is not None, "the cell of a system"
        check_compose()
        with self._project(system, folder) as (project, services):
            read: list[Ledger] = []
            session = SystemSession(self._supervisor, project, system.project, folder.logs)
            self._interrupts.enter(session)
            try:
                where = Path(system.project.folder).absolute()
                conductor = SystemConductor(cell, system, session, services, str(where))
                run_in_real_time(conductor.program(), session)
                read.append(ledger(quiet(system, Places(project.addresses(), where))))
            finally:
                self._interrupts.leave(session)
                session.close()
                collect(session.collect()._replace(ledgers=read))

    @contextmanager
    def _project(self, system: System, folder: CellStore) -> Iterator[tuple[ComposeProject, list[str]]]:
        """The project, with the override laid over it, and its services; taken down whatever happens."""
        file = (Path(system.project.folder) / system.project.compose).absolute()
        if not file.is_file():
            raise SessionError(f"{file}: there is no such compose file; system.compose names it")
        name = f"faultbed-{self._supervisor.run[:8]}-{secrets.token_hex(3)}"
        owner = self._owner()
        # By these a Compose that goes on after its orchestrator was killed is found, and ended before what it made.
        marks = {RUN_VARIABLE: owner.run, ORCHESTRATOR_VARIABLE: owner.orchestrator}
        project = ComposeProject(name, [file], {**system.project.environment, **marks})
        try:
            if system.links[0].via == "relay":
                check_image(project.client, self._image)
            config = project.config()
            services = sorted(config["services"])
            _check_services(system, services, file)
            laid = folder.directory / OVERRIDE
            laid.write_text(self._override(name, system, config, owner), encoding="utf-8")
            project.lay_over(laid)
            try:
                yield project, services
            finally:
                try:
                    project.logs(folder.logs / LOG)
                finally:
                    project.down()
        finally:
            project.close()

    def _owner(self) -> Owner:
        me = psutil.Process()
        return Owner(self._supervisor.run, f"{me.pid}:{me.create_time()}", place())

    def _override(self, name: str, system: System, config: dict[str, object], owner: Owner) -> str:
        services = {link.service for link in system.links}
        behind = [
            Behind(service, frozenset(link.source for link in system.links if link.service == service))
            for service in sorted(services)
        ]
        if system.links[0].via == "relay":
            proxy = relay_service(name, self._image)
        else:
            proxy = toxiproxy_service(name, self._toxiproxy_image)
        return text(override(config, behind, proxy, owner.labels()))


def _check_services(system: System, services: list[str], file: Path) -> None:
    for name in system.services:
        if name not in services:
            raise SessionError(f"{file} has no service {name!r}, which a link names; it has {', '.join(services)}")


def quiet(system: System, places: Places) -> tuple[Effect, ...]:
    """What the oracle reports once it reports the same twice. Raises SessionError: it never does."""
    before = oracles.read(system.oracle, places)
    for _ in range(READINGS):
        effects = oracles.read(system.oracle, places)
        if effects == before:
            return effects
        before = effects
    raise SessionError(f"the oracle reported something else each of {READINGS} times: the system is still at work")
