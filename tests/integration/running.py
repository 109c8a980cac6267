"""`faultbed run` as a process of its own, its whole family found by a mark in the environment that all inherit."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import psutil
from click.testing import CliRunner

from orchestrator.cli import main

COMMAND = [sys.executable, "-I", "-m", "faultbed"]
MARK = "FAULTBED_TEST_FAMILY"
PATIENCE = 100.0
"""Seconds that even a machine with twenty others at work needs no more of; nobody waits so long where all is well."""
GLANCE = 0.01
"""Seconds between two looks: what is waited for gets the processor meanwhile."""

LONG = """
scenario: {name}
load: 120s
nodes:
  server: {{service: counter, yields: 20ms{server}}}
  client: {{workload: add, calls: 5000, retry: {{first: 60s, maximum: 60s}}}}
links:
  - {{from: client, to: server, semantics: exactly-once, transport: tcp}}
faults:
  - {fault}
expect:
  others: {{client: ok, executions: 1}}
"""


def long(name: str = "long", fault: str = "{drop: reply, link: client -> server, operations: [4000]}") -> str:
    """A scenario that goes on for a minute or two if nobody ends it."""
    return LONG.format(name=name, fault=fault, server="")


def until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Look again and again: there is nothing to wait on in processes that are not our children."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(GLANCE)


def in_process(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    """What the command comes to in the folder `cwd`, as of `Running.end`: for what needs no process of its own, whose
    start costs more than all that it does."""
    with contextlib.chdir(cwd):
        result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.stdout, result.stderr


class Running:
    """One command in the folder `cwd`; leaving it kills whatever is left of its family."""

    def __init__(self, cwd: Path, *arguments: str, command: list[str] = COMMAND) -> None:
        self.cwd = cwd
        self.mark = uuid.uuid4().hex
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=cwd,
            env={**os.environ, MARK: self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                process.kill()
        self.process.kill()
        self.process.communicate()

    def family(self) -> list[psutil.Process]:
        """What it started, directly or not, that lives."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE
            except psutil.Error:
                continue
            if ours and process.pid != self.process.pid:
                found.append(process)
        return found

    def named(self, module: str, name: str = "") -> list[psutil.Process]:
        """Those that run `python -m MODULE`, and a node's `--name`."""
        found = []
        for process in self.family():
            try:
                line = process.cmdline()
            except psutil.Error:
                continue
            if module in line and (not name or name in line):
                found.append(process)
        return found

    def node(self, name: str) -> psutil.Process:
        until(lambda: bool(self.named("nodes", name)), f"node {name} to be there")
        return self.named("nodes", name)[0]

    def loaded(self) -> None:
        """Wait until calls are executed."""
        until(lambda: any(path.stat().st_size > 4096 for path in self.journals("server")), "the server's journal")

    def journals(self, name: str) -> list[Path]:
        return list(self.cwd.rglob(f"{name}.1.journal"))

    def end(self) -> tuple[int, str, str]:
        """-> (exit code, standard output, standard error)."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    def all_gone(self) -> None:
        """Wait until nothing of it is left."""
        until(lambda: not self.family(), f"nothing to be left, there are {self.family()}")
