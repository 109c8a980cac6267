"""The adapter to Compose: one command of it at a time, each with a limit, each ended when it is no longer wanted.

Every method raises SessionError with what was tried, what Compose said, and the remedy.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import IO, Any

from orchestrator.run.session import SessionError

LAST_LINES = 15
OLDEST = (2, 24, 4)
"""The Compose that knows the tags of orchestrator/backends/compose/override.py."""
REMEDY = "install Docker Compose 2.24.4 or newer, https://docs.docker.com/compose/install"
ANSWER = 60.0
"""Seconds for what only reads: the files, the version, the logs. It takes tenths of one."""
SHORTEST = 1.0
"""Seconds that Compose is given even where the others have used up the time, so that it can say what it waits for."""
GRACE = 5.0
"""Seconds for Compose to end what it has begun at the engine, before it is killed."""
ENGINE = "unix:///var/run/docker.sock"
"""Where the engine's client looks for it too, unless DOCKER_HOST says where it is."""
NOT_PASSED_ON = frozenset({"DOCKER_CONTEXT", "COMPOSE_IGNORE_ORPHANS", "COMPOSE_REMOVE_ORPHANS"})
"""Settings of the user's own shell that would have Compose work at another engine than we do, or leave things there."""


class Compose:
    """The project `name`; `files` are laid one over the other, and their relative paths begin in the first's folder.

    Rule: once aborted, nothing is begun any more but what undoes.
    """

    def __init__(self, name: str, files: Sequence[Path], environment: Mapping[str, str]) -> None:
        self.name = name
        self.files = list(files)
        self._environment = surroundings(os.environ, environment)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._aborted = threading.Event()

    def with_only(self, file: Path) -> Compose:
        """The user's own file with this one over it, ended together with this."""
        other = copy(self)
        other.files = [self.files[0], file]
        return other

    def check(self) -> None:
        """Raises SessionError once it was aborted."""
        if self._aborted.is_set():
            raise SessionError(f"{self.files[0]}: the run was ended")

    def abort(self) -> None:
        """End what Compose is doing now, in whichever thread; it fails there."""
        with self._lock:
            self._aborted.set()
            running = list(self._running)
        for process in running:
            _end(process)

    def config(self) -> dict[str, Any]:
        """The project as Compose understands it."""
        said = self.run("reading the project", ANSWER, "config", "--format", "json")
        try:
            found = json.loads(said)
        except ValueError as error:
            raise SessionError(f"reading the project of {self.files[0]}: Compose says no JSON: {error}") from error
        if not isinstance(found, dict):
            raise SessionError(f"reading the project of {self.files[0]}: Compose says {said[:100]!r}, {REMEDY}")
        return found

    def run(
        self,
        what: str,
        seconds: float,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        undoing: bool = False,
        to: IO[bytes] | None = None,
    ) -> str:
        """-> what it printed, unless that goes to a file. `what` is what it does, for the error if it fails or takes
        longer than `seconds`."""
        what = f"{what} of {self.files[0]}"
        process = self._begin(what, arguments, environment or {}, undoing, to)
        try:
            out, error = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            process.communicate()
            raise SessionError(f"{what}: docker compose has not done it within {seconds:.0f} s") from None
        finally:
            _end(process)
            with self._lock:
                self._running.discard(process)
        if process.returncode != 0:
            said = "\n".join(error.strip().splitlines()[-LAST_LINES:])
            raise SessionError(f"{what}: docker compose failed ({process.returncode}):\n{said}")
        return out or ""

    def _begin(
        self,
        what: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        undoing: bool,
        to: IO[bytes] | None,
    ) -> subprocess.Popen[str]:
        with self._lock:
            if not undoing:
                self.check()
            try:
                # A session of its own: Ctrl-C at the terminal is the orchestrator's to handle.
                process = subprocess.Popen(
                    [*self._command(), *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=to or subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",  # a log may hold any bytes
                    env={**self._environment, **environment},
                    start_new_session=True,
                )
            except OSError as error:
                raise SessionError(f"{what}: docker compose cannot be started: {error}") from error
            if not undoing:
                self._running.add(process)
        return process

    def _command(self) -> list[str]:
        files = [part for file in self.files for part in ("--file", str(file))]
        folder = str(self.files[0].parent)
        return ["docker", "compose", "--project-name", self.name, "--project-directory", folder, *files]


def _end(process: subprocess.Popen[str]) -> None:
    """End it and what it has started, if it goes on; another thread may be reading what it says."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, number)
            process.wait(GRACE)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def surroundings(ours: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The environment in which Compose runs: at the engine where our own client is, whatever context is chosen."""
    kept = {name: value for name, value in ours.items() if name not in NOT_PASSED_ON}
    return {"DOCKER_HOST": ENGINE, **kept, **given}


def check_compose() -> None:
    """Raises SessionError where Compose is missing or too old."""
    if shutil.which("docker") is None:
        raise SessionError(f"there is no program 'docker' on PATH: {REMEDY}")
    command = ["docker", "compose", "version", "--short"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWER,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SessionError(f"`docker compose version` failed: {error}; {REMEDY}") from error
    said = done.stdout.strip()
    if done.returncode != 0:
        raise SessionError(f"`docker compose version` failed: {done.stderr.strip()}; {REMEDY}")
    if version(said) < OLDEST:
        raise SessionError(f"Docker Compose is of version {said}: {REMEDY}")


def version(text: str) -> tuple[int, ...]:
    """(2, 26, 1) of "v2.26.1-4"."""
    digits = text.lstrip("v").split("-")[0].split("+")[0].split(".")
    return tuple(int(part) for part in digits if part.isdigit())
