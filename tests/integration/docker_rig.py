"""A session of containers, and what its tests ask of the engine."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker

from nodes.ops import Get, Now, Program
from orchestrator.backends.docker.leftovers import Thing, things
from orchestrator.backends.docker.session import DockerSession
from orchestrator.backends.docker.shared import DockerBackend
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real_time import run
from orchestrator.run.session import Answer, SessionError, Started
from orchestrator.run.specs import server_spec
from orchestrator.scenario.cell import NO_LIMITS, Cell, Limits
from orchestrator.scenario.plan import load
from orchestrator.scenario.shipped import find

SECOND = 1_000_000_000


def cells(scenario: str) -> list[Cell]:
    return [cell for cell in load(find(scenario)[0]).cells if cell.not_applicable is None]


@contextmanager
def backend(client: docker.DockerClient, image: str, toxiproxy_image: str = "none") -> Iterator[DockerBackend]:
    with (
        Supervisor(secrets.token_hex(8)) as supervisor,
        DockerBackend(docker.from_env(), supervisor, image, toxiproxy_image) as made,
    ):
        yield made
        run_id = made.owner.run
    assert things(client, run_id) == [], "nothing of a closed backend is left"


class Rig:
    """One session, with a server of a scenario's first cell."""

    def __init__(self, backend: DockerBackend, home: Path) -> None:
        self.backend = backend
        self.session = DockerSession(backend, home)
        self.cell = cells("rpc/02-reply-lost")[0]

    def events(self, number: int, seconds: int = 60) -> list[Any]:
        """The next so many, within what even a slow machine needs."""

        def program() -> Program:
            taken = []
            for _ in range(number):
                now = yield Now()
                taken.append((yield Get(self.session.events, now + seconds * SECOND)))
            return taken

        taken: list[Any] = run(program(), self.session)
        return taken

    def start(self, epoch: int = 1, name: str = "server", limits: Limits = NO_LIMITS) -> None:
        self.session.start(name, "node", epoch, "epoll", limits)
        assert self.events(1) == [Started(name, epoch)]

    def configure(self, epoch: int = 1) -> dict[str, Any]:
        """-> the server's answer."""
        spec = server_spec(self.cell, "server", epoch, self.session.address("server"))
        self.session.command("server", {"type": "configure", "spec": spec})
        answer = self.events(1)[0]
        assert isinstance(answer, Answer)
        if "error" in answer.body:
            raise SessionError(answer.body["error"])
        return answer.body

    def container(self, name: str = "server") -> str:
        """The name by which the engine knows the node's latest epoch."""
        place = self.session._containers.plane("packet")["places"][name]  # what a plane is told of it
        return str(place["container"])

    def inspect(self, name: str = "server") -> dict[str, Any]:
        found: dict[str, Any] = self.backend.client.api.inspect_container(self.container(name))
        return found

    def execute(self, command: str, name: str = "server") -> str:
        """What a command prints that is run in the node's container, with the node's privileges."""
        api = self.backend.client.api
        made = api.exec_create(self.container(name), shlex.split(command))
        printed: bytes = api.exec_start(made["Id"])
        assert api.exec_inspect(made["Id"])["ExitCode"] == 0, printed
        return printed.decode()


def made_by(client: docker.DockerClient, pid: int) -> list[Thing]:
    """What the engine has of the orchestrator with this process id."""
    return [thing for thing in things(client) if thing.owner.orchestrator.startswith(f"{pid}:")]
