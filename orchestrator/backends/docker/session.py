"""A session whose nodes and relay are containers; the other planes run beside the orchestrator."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chaos.supports import PlaneName
from orchestrator.backends.docker.host import DockerHost
from orchestrator.backends.docker.shared import DockerBackend
from orchestrator.backends.host import Failed, Host, Launch, Tell
from orchestrator.backends.real import PATIENCE, RealSession
from orchestrator.backends.this_machine import LocalHost, command_line
from orchestrator.backends.threads import NoThread, start
from orchestrator.run.session import Role, SessionError, SignalName


class Beside(LocalHost):
    """This machine, for planes that act on containers from outside. Toxiproxy's plane has its server started first."""

    def __init__(self, backend: DockerBackend, containers: DockerHost, home: Path) -> None:
        super().__init__(backend.supervisor, home, command_line)
        self._containers = containers
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def spawn(self, launch: Launch, tell: Tell) -> None:
        if launch.role == "packet":
            super().spawn(launch, tell)
            return
        try:
            self._thread = start(self._spawn_behind, "the start of Toxiproxy", launch, tell)
        except NoThread as error:
            tell(Failed(str(error)))

    def _spawn_behind(self, launch: Launch, tell: Tell) -> None:
        try:
            self._containers.start_toxiproxy()
        except SessionError as error:
            tell(Failed(str(error)))
            return
        except Exception as error:  # nobody else would hear of it
            tell(Failed(f"Toxiproxy cannot be started: {type(error).__name__}: {error}"))
            return
        if self._ended.is_set():
            tell(Failed("it was killed before it was started"))
        else:
            super().spawn(launch, tell)

    def signal(self, name: str, epoch: int, signal: SignalName) -> None:
        if signal == "kill":
            self._ended.set()
        super().signal(name, epoch, signal)

    def plane(self, name: PlaneName) -> dict[str, Any]:
        return self._containers.plane(name)

    def fetch(self, names: Iterable[str]) -> None:
        """Everything is in the cell's folder from the beginning."""

    def close(self) -> None:
        if self._thread is not None:
            self._thread.join(PATIENCE)  # an engine that pulls an image for minutes ends with this process


class DockerSession(RealSession):
    """The processes of one cell's run; `groups`: some send to multicast groups; `sockets`: some talk by Unix sockets.
    Raises EngineError when the engine has no network for them.
    """

    def __init__(self, backend: DockerBackend, home: Path, *, groups: bool = False, sockets: bool = False) -> None:
        self._containers = DockerHost(backend, home.absolute(), groups, sockets)
        beside = Beside(backend, self._containers, home.absolute())

        def place(name: str, role: Role) -> Host:
            return self._containers if role in ("node", "relay") else beside

        super().__init__(home, place)

    def close(self) -> None:
        """Closing twice is allowed."""
        try:
            super().close()
        finally:
            self._containers.close()  # also when it has no process
