"""A user's compose project, brought up under a name of its own: the adapter to Compose and the engine.

Every method waits for what it does, and raises SessionError with what was tried, what the engine said, and the remedy.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import docker.errors
from docker.models.containers import Container

from orchestrator.backends import SessionError
from orchestrator.backends.docker.engine import asking, connect

STOP_SECONDS = 1
"""Between SIGTERM and SIGKILL when the project is taken down: its end is no part of the experiment."""
LAST_LINES = 15
SERVICE_LABEL = "com.docker.compose.service"
PROJECT_LABEL = "com.docker.compose.project"
OLDEST = (2, 24, 4)
"""The Compose that knows the tags of orchestrator/system/override.py."""


class ComposeProject:
    """`files` are laid one over the other; relative paths in them are taken from the first one's folder."""

    def __init__(self, name: str, files: Sequence[Path], environment: Mapping[str, str]) -> None:
        self.name = name
        self._files = list(files)
        self._environment = {**os.environ, **environment}
        self._running: set[subprocess.Popen[str]] = set()
        self.client = connect()

    def close(self) -> None:
        self.client.close()

    def abort(self) -> None:
        """End what Compose is doing now, in whichever thread; it fails there."""
        for process in list(self._running):
            process.terminate()

    def lay_over(self, file: Path) -> None:
        self._files.append(file)

    # The whole project

    def config(self) -> dict[str, Any]:
        """The project as Compose understands it."""
        found: dict[str, Any] = json.loads(self._compose("reading the project", "config", "--format", "json"))
        return found

    def create(self, service: str, environment: Mapping[str, str]) -> None:
        """Make a service's container and its networks, without starting it."""
        self._compose(f"creating {service}", "create", service, environment=environment)

    def up(self, services: Iterable[str], healthy: bool, seconds: float) -> None:
        """Start services that do not run, and wait until they run or, with a health check, are healthy."""
        names = list(services)
        waiting = ("--wait", "--wait-timeout", str(max(int(seconds), 1))) if healthy else ()
        what = f"starting {', '.join(names)} (their words are in the cell's logs)"
        self._compose(what, "up", "--detach", "--no-recreate", *waiting, *names)

    def down(self) -> None:
        """Remove its containers, networks and volumes; one that was never up has none."""
        for container in self._containers(all=True):
            if container.status == "paused":
                with asking(f"unpause {container.name}"):
                    container.unpause()
        self._compose(
            "taking the project down", "down", "--volumes", "--remove-orphans", "--timeout", str(STOP_SECONDS)
        )

    def logs(self, path: Path) -> None:
        """Keep what its services said."""
        path.write_text(self._compose("reading the logs", "logs", "--no-color", "--timestamps"), encoding="utf-8")

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

    def _containers(self, all: bool) -> list[Container]:
        with asking(f"list the containers of {self.name}"):
            label = f"{PROJECT_LABEL}={self.name}"
            return list(self.client.containers.list(all=all, filters={"label": label}, ignore_removed=True))

    def _said(self, container: Container) -> str:
        lines = container.logs(tail=LAST_LINES).decode("utf-8", "replace").splitlines()
        return "; the end of its log:\n" + "\n".join(f"    {line}" for line in lines) if lines else "; its log is empty"

    def _compose(self, what: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        files = [part for file in self._files for part in ("--file", str(file))]
        folder = str(self._files[0].parent)
        command = ["docker", "compose", "--project-name", self.name, "--project-directory", folder, *files, *arguments]
        # A session of its own: Ctrl-C at the terminal is the orchestrator's to handle.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self._environment, **(environment or {})},
            start_new_session=True,
        )
        self._running.add(process)
        try:
            out, error = process.communicate()
        finally:
            self._running.discard(process)
        if process.returncode != 0:
            said = "\n".join(error.strip().splitlines()[-LAST_LINES:])
            raise SessionError(f"{what} of {self._files[0]}: docker compose failed ({process.returncode}):\n{said}")
        return out


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


def check_compose() -> None:
    """Raises SessionError where Compose is missing or too old."""
    remedy = "install Docker Compose 2.24.4 or newer, https://docs.docker.com/compose/install"
    if shutil.which("docker") is None:
        raise SessionError(f"there is no program 'docker' on PATH: {remedy}")
    command = ["docker", "compose", "version", "--short"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    said = done.stdout.strip()
    if done.returncode != 0:
        raise SessionError(f"`docker compose version` failed: {done.stderr.strip()}; {remedy}")
    if version(said) < OLDEST:
        raise SessionError(f"Docker Compose is of version {said}: {remedy}")


def version(text: str) -> tuple[int, ...]:
    """(2, 26, 1) of "v2.26.1-4"."""
    digits = text.lstrip("v").split("-")[0].split("+")[0].split(".")
    return tuple(int(part) for part in digits if part.isdigit())
