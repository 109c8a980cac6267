"""A user's compose project, brought up under a name of its own: what a run does to it, at Compose and at the engine.

Every method waits for what it does, and raises SessionError with what was tried, what was answered, and the remedy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import docker.errors
from docker.models.containers import Container

from orchestrator.backends.compose.compose import ANSWER, LAST_LINES, SHORTEST, Compose
from orchestrator.backends.docker.engine import asking, connect
from orchestrator.backends.docker.leftovers import AT_ONCE, remove_all
from orchestrator.backends.threads import workers
from orchestrator.run.readiness import Ended, Need, ready, standing
from orchestrator.run.session import SessionError

KEPT_LINES = 20_000
"""Of each container, in the results: with more, one that talks much would fill the disk, and hold up the run's end."""
LONGEST = 500
"""Characters of a line in an error."""
PAUSE = 0.05
"""Seconds between two looks at whether services are ready: neither Compose nor the engine tells all of it unasked."""
SERVICE_LABEL = "com.docker.compose.service"
PROJECT_LABEL = "com.docker.compose.project"


class ComposeProject:
    """`files` are laid one over the other; relative paths in them are taken from the first one's folder. What they
    make is labelled with `run`."""

    def __init__(self, name: str, run: str, files: Sequence[Path], environment: Mapping[str, str]) -> None:
        self.name = name
        self._run = run
        self.compose = Compose(name, files, environment)
        self._aborted = threading.Event()
        self.client = connect()

    def close(self) -> None:
        self.client.close()

    def abort(self) -> None:
        """End what is going on, in whichever thread; it fails there."""
        self._aborted.set()
        self.compose.abort()

    # The whole project

    def create(self, service: str, environment: Mapping[str, str]) -> None:
        """Make a service's container and its networks, without starting it."""
        self.compose.run(f"creating {service}", ANSWER, "create", service, environment=environment)

    def up(self, services: Sequence[str], deadline: float) -> None:
        """Start exactly these services, which were not started before. `deadline` is monotonic."""
        what, seconds = (
            f"starting {', '.join(services)} (system.start caps it)",
            max(deadline - time.monotonic(), SHORTEST),
        )
        self.compose.run(what, seconds, "up", "--detach", "--no-recreate", "--no-deps", *services)

    def await_ready(self, needs: Mapping[str, Need], deadline: float) -> None:
        """Wait until services stand as is needed. One that never will, or not in time, is told with its last words."""
        while waiting := self._not_ready(needs):
            if time.monotonic() > deadline:
                name, container = waiting[0]
                how = standing(container.attrs["State"])
                raise SessionError(
                    f"service {name} is not ready in time (system.start says how much): {how}{self._said(container)}"
                )
            if self._aborted.wait(PAUSE):
                raise SessionError("the run was ended before its services were ready")

    def down(self) -> None:
        """Remove its containers, networks and volumes; one that was never up has none.

        Not by Compose, which removes what the file names: that may be something else by now, and the user's.
        """
        with workers(AT_ONCE, "removal") as pool:
            remove_all(self.client, self._run, pool, f"{PROJECT_LABEL}={self.name}")

    def logs(self, path: Path) -> None:
        """Keep what its services said last."""
        how = ("--no-color", "--timestamps", "--tail", str(KEPT_LINES))
        with path.open("wb") as file:
            self.compose.run("reading the logs", ANSWER, "logs", *how, undoing=True, to=file)

    # One service

    def address(self, service: str) -> str:
        """Where this machine reaches it: the address of its container on one of its networks."""
        container = self.container(service)
        found = _address(container)
        if found is None:
            state = container.attrs["State"]["Status"]
            raise SessionError(f"service {service} has no address: its container is {state}{self._said(container)}")
        return found

    def addresses(self) -> dict[str, str]:
        """Those of every service that runs and has one; of one with several containers, any of them."""
        running = self._containers(all=False)
        return {one.labels[SERVICE_LABEL]: found for one in running if (found := _address(one)) is not None}

    def start(self, service: str) -> None:
        """Start its container again, and nothing that it depends on."""
        with asking(f"start {service} again"):
            self.container(service).start()

    def kill(self, service: str) -> None:
        container = self.container(service)
        with asking(f"kill {service}"):
            container.kill()  # first: a paused one that is let go must not run on
            if container.status == "paused":
                _let_go(container)
            container.wait()

    def pause(self, service: str) -> None:
        with asking(f"pause {service}"):
            self.container(service).pause()

    def unpause(self, service: str) -> None:
        with asking(f"resume {service}"):
            self.container(service).unpause()

    def container(self, service: str) -> Container:
        """The service's container, as it is now. A service with several has no one place for a fault."""
        found = [one for one in self._containers(all=True) if one.labels.get(SERVICE_LABEL) == service]
        if len(found) != 1:
            raise SessionError(f"service {service} has {len(found)} containers, expected one: give it no replicas")
        return found[0]

    def _not_ready(self, needs: Mapping[str, Need]) -> list[tuple[str, Container]]:
        """Raises SessionError for one that will never be."""
        waiting = []
        for container in self._containers(all=True):
            name = container.labels.get(SERVICE_LABEL, "")
            if name not in needs:
                continue
            try:
                if not ready(container.attrs["State"], needs[name]):
                    waiting.append((name, container))
            except Ended as error:
                raise SessionError(f"service {name} {error}{self._said(container)}") from None
        return waiting

    def _containers(self, all: bool) -> list[Container]:
        with asking(f"list the containers of {self.name}"):
            label = f"{PROJECT_LABEL}={self.name}"
            return list(self.client.containers.list(all=all, filters={"label": label}, ignore_removed=True))

    def _said(self, container: Container) -> str:
        with asking(f"give the log of {container.name}"):
            lines = container.logs(tail=LAST_LINES).decode("utf-8", "replace").splitlines()
        told = "\n".join(f"    {line[:LONGEST]}" for line in lines)
        return f"; the end of its log:\n{told}" if lines else "; its log is empty"


def _let_go(container: Container) -> None:
    """Unpause one that was killed. Some engines do it themselves."""
    try:
        container.unpause()
    except docker.errors.APIError:
        container.reload()
        if container.status == "paused":
            raise


def _address(container: Container) -> str | None:
    networks = container.attrs["NetworkSettings"]["Networks"].values()
    return next((str(network["IPAddress"]) for network in networks if network["IPAddress"]), None)
