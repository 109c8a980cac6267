"""Runs cells of a system that is not ours: its project up, the run, what the oracle says, the project down."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from nodes.control import ORCHESTRATOR_VARIABLE, RUN_VARIABLE
from orchestrator.backends.backend import CellFolder
from orchestrator.backends.compose.builds import Builds, images, recipe
from orchestrator.backends.compose.compose import check_compose
from orchestrator.backends.compose.machine import compose_file, machine
from orchestrator.backends.compose.override import Behind, override
from orchestrator.backends.compose.private import refusals
from orchestrator.backends.compose.project import ComposeProject
from orchestrator.backends.compose.proxy import relay_service, toxiproxy_service
from orchestrator.backends.compose.session import Build, SystemSession
from orchestrator.backends.compose.tags import text
from orchestrator.backends.docker.engine import connect
from orchestrator.backends.docker.image import check_image, image_name
from orchestrator.backends.docker.labels import Owner
from orchestrator.backends.docker.leftovers import AT_ONCE, remove_all
from orchestrator.backends.docker.shared import TOXIPROXY
from orchestrator.backends.interrupts import Interrupts
from orchestrator.backends.leftovers import orchestrator_id, place
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real_time import run as run_in_real_time
from orchestrator.backends.threads import workers
from orchestrator.history.collected import Collected
from orchestrator.history.merged import Ledger
from orchestrator.oracles import reading
from orchestrator.oracles.effects import Effect, ledger
from orchestrator.oracles.places import Places
from orchestrator.run.attention import RunFailed
from orchestrator.run.conductor import Conductor
from orchestrator.run.session import SessionError
from orchestrator.run.waves import Services
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.system import System

OVERRIDE = "compose.override.yml"
RECIPE = "compose.build.yml"
LOG = "compose.log"
READINGS = 20
"""How often an oracle is asked at most until two of its answers are alike: what was under way then is done."""


class Systems:
    """What the cells of one command share, in several threads: the images that their projects build.

    See orchestrator.backends.backend.Runner; the images given are those of the proxy, None for the usual ones.
    """

    def __init__(
        self, supervisor: Supervisor, image: str | None, toxiproxy_image: str | None, interrupts: Interrupts
    ) -> None:
        self._supervisor = supervisor
        self._image = image or image_name()
        self._toxiproxy_image = toxiproxy_image or TOXIPROXY
        self._interrupts = interrupts
        self._owner = Owner(supervisor.run, orchestrator_id(), place())
        self._builds = Builds()
        self._used = False

    def __call__(self, cell: Cell, folder: CellFolder, collect: Callable[[Collected], None]) -> None:
        """Raises SessionError, RunFailed: nothing of the project is left then either."""
        system = cell.system
        assert system is not None, "the cell of a system"
        check_compose()
        with self._project(system, folder) as (project, services, build):
            read: list[Ledger] = []
            session = SystemSession(self._supervisor, project, system.project, services, build, folder.logs)
            self._interrupts.enter(session)
            try:
                run_in_real_time(Conductor(cell, session, session).program(), session)
                places = Places(project.addresses(), Path(session.folder))
                read.append(ledger(quiet(system, places, lambda: self._interrupts.happened)))
            finally:
                self._interrupts.leave(session)
                session.close()
                collect(session.collect()._replace(ledgers=read))

    def close(self) -> None:
        """Remove whatever the engine still has of this run. Raises SessionError if anything is left."""
        if self._used:
            client = connect()
            try:
                with workers(AT_ONCE, "removal") as pool:
                    remove_all(client, self._owner.run, pool)
            finally:
                client.close()

    @contextmanager
    def _project(self, system: System, folder: CellFolder) -> Iterator[tuple[ComposeProject, Services, Build]]:
        """The project, with the override laid over it, its services, and what builds; taken down whatever happens."""
        name = f"faultbed-{self._supervisor.run[:8]}-{secrets.token_hex(3)}"
        # By these a Compose that goes on after its orchestrator was killed is found, and ended before what it made.
        marks = {RUN_VARIABLE: self._owner.run, ORCHESTRATOR_VARIABLE: self._owner.orchestrator}
        environment = {**system.project.environment, **marks}
        project = ComposeProject(name, self._owner.run, [compose_file(system.project)], environment)
        with closing(project):
            self._used = True
            if system.links[0].via == "relay":
                check_image(project.client, self._image)
            config = project.compose.config()
            for problem in refusals(config, machine(system.project)):  # the file may be another one by now
                raise SessionError(f"{project.compose.files[0]}: {problem}")
            build = self._lay_over(project, system, config, folder)
            with undone(lambda: project.logs(folder.logs / LOG), project.down):
                yield project, config["services"], build

    def _lay_over(self, project: ComposeProject, system: System, config: dict[str, Any], folder: CellFolder) -> Build:
        """-> what builds the images that the project then starts from."""
        keep = system.project.keep_images
        made = images(config, self._owner.run, keep)
        laid, building = folder.directory / OVERRIDE, folder.directory / RECIPE
        laid.write_text(self._override(project.name, system, config, made), encoding="utf-8")
        project.compose.files.append(laid)
        if not made:
            return lambda seconds: None
        building.write_text(recipe(config, made, self._owner, keep), encoding="utf-8")
        wanted = {service: image for service, image in made.items() if "build" in config["services"][service]}
        return lambda seconds: self._builds.ensure(project.compose, building, wanted, seconds)

    def _override(self, name: str, system: System, config: dict[str, Any], made: Mapping[str, str]) -> str:
        services = {link.server for link in system.links}
        behind = [
            Behind(service, frozenset(link.source for link in system.links if link.server == service))
            for service in sorted(services)
        ]
        if system.links[0].via == "relay":
            proxy = relay_service(name, self._image)
        else:
            proxy = toxiproxy_service(name, self._toxiproxy_image)
        return text(override(config, behind, proxy, self._owner.labels(), made))


@contextmanager
def undone(*acts: Callable[[], None]) -> Iterator[None]:
    """Perform all of `acts` in the end, whatever fails; the first failure is told, and the others with it.

    Raises SessionError.
    """
    try:
        yield
    except (SessionError, RunFailed, OSError) as error:
        if problems := _failures(acts):
            raise SessionError("; then ".join([str(error), *problems])) from error
        raise
    except BaseException:
        _failures(acts)  # what is left is told when the command ends
        raise
    if problems := _failures(acts):
        raise SessionError("; then ".join(problems))


def _failures(acts: Iterable[Callable[[], None]]) -> list[str]:
    found = []
    for act in acts:
        try:
            act()
        except (SessionError, OSError) as error:
            found.append(str(error))
    return found


def quiet(system: System, places: Places, interrupted: Callable[[], bool]) -> tuple[Effect, ...]:
    """What the oracle reports once it reports the same twice.

    Raises SessionError: it never does; KeyboardInterrupt between two of its answers.
    """
    before = reading.read(system.oracle, places)
    for _ in range(READINGS):
        if interrupted():
            raise KeyboardInterrupt
        effects = reading.read(system.oracle, places)
        if effects == before:
            return effects
        before = effects
    raise SessionError(f"the oracle reported something else each of {READINGS} times: the system is still at work")
