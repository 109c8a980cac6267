"""The proxy's container, which a project's override declares: our relay, or a Toxiproxy server."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from chaos.supports import PlaneName
from faultbed import part
from nodes.control import TOKEN_VARIABLE, parse_control_line
from orchestrator.backends.compose.project import ComposeProject
from orchestrator.backends.docker.container import Container
from orchestrator.backends.docker.engine import EngineError, Missing, asking
from orchestrator.backends.docker.evidence import unpack
from orchestrator.backends.docker.specification import BOUNDS, USER
from orchestrator.backends.docker.toxiproxy import PORT
from orchestrator.backends.host import Launch, Tell
from orchestrator.backends.processes import PATIENCE, Supervisor
from orchestrator.backends.this_machine import LocalHost, command_line
from orchestrator.run.session import SessionError, SignalName
from orchestrator.scenario.system import PROXY

RELAY = "relay"
ANYWHERE = "0.0.0.0"
DATA = "/data"
PAUSE = 0.02
_CONFINED: dict[str, Any] = {
    "init": True,
    "user": USER,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    **BOUNDS,
    "healthcheck": {"disable": True},
}
"""With no right but to listen and connect."""


def relay_service(project: str, image: str) -> dict[str, Any]:
    """How the relay is run in a project."""
    options = ["--plane", RELAY, "--name", RELAY, "--home", DATA, "--control", ANYWHERE]
    return {
        "image": image,
        "container_name": container_name(project),
        "entrypoint": [*part.command("chaos", "python3"), *options],
        "command": [],
        "environment": {TOKEN_VARIABLE: None},  # from the command's own environment: it stands in no file
        **_CONFINED,
    }


def container_name(project: str) -> str:
    return f"{project}-proxy"


def toxiproxy_service(project: str, image: str) -> dict[str, Any]:
    """How a Toxiproxy server is run in a project."""
    return {
        "image": image,
        "container_name": container_name(project),
        "command": ["-host", ANYWHERE, "-port", str(PORT)],
        **_CONFINED,
    }


def answers(address: str) -> None:
    """Wait until a Toxiproxy server that was just started listens. Raises SessionError: it does not."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((address, PORT), PATIENCE).close()
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise SessionError(f"Toxiproxy in the project does not answer at {address}:{PORT}: {error}") from error
            time.sleep(PAUSE)


class ToxiproxyHost(LocalHost):
    """The plane's process is on this machine; the server that it steers is the project's proxy, which runs already."""

    def __init__(self, supervisor: Supervisor, project: ComposeProject, home: Path) -> None:
        super().__init__(supervisor, home, command_line)
        self._project = project

    def address(self, name: str) -> str:
        return self._project.address(PROXY)

    def plane(self, name: PlaneName) -> dict[str, Any]:
        return {"listen": ANYWHERE, "api": f"http://{self.address(name)}:{PORT}"}


class ProxyHost:
    """Where the relay of a project runs; see orchestrator.backends.host.Host."""

    def __init__(self, project: ComposeProject, home: Path) -> None:
        self._project = project
        self._home = home
        self._container: Container | None = None

    def spawn(self, launch: Launch, tell: Tell) -> None:
        def create() -> None:
            self._project.create(PROXY, {TOKEN_VARIABLE: launch.token})

        name = container_name(self._project.name)
        self._container = Container(self._project.client, name, launch, create, nullcontext(), tell)

    def signal(self, name: str, epoch: int, signal: SignalName) -> None:
        if self._container is not None:
            self._container.signal(signal)

    def connect(self, name: str, epoch: int, line: str, timeout: float) -> socket.socket:
        _, port = parse_control_line(line)
        return socket.create_connection((self.address(name), port), timeout)

    def address(self, name: str) -> str:
        return self._project.address(PROXY)

    def plane(self, name: PlaneName) -> dict[str, Any]:
        return {"listen": ANYWHERE}

    def archive(self, name: str) -> None:
        raise SessionError(f"{name} has no ledger to be set aside")

    def fetch(self, names: Iterable[str]) -> None:
        container = container_name(self._project.name)
        try:
            with asking("copy the proxy's journal"):
                pieces, _ = self._project.client.api.get_archive(container, DATA)
        except Missing:
            return  # it was never made, so that it has nothing to say; a journal that is due is missed when read
        except EngineError as error:
            raise OSError(str(error)) from error
        unpack(pieces, RELAY, self._home)

    def close(self) -> None:
        """The container goes with its project."""
        if self._container is not None:
            self._container.close(PATIENCE)
