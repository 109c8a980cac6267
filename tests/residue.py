"""What no session of tests may leave behind: a process that it started, or in the engine what carries a run's label.

One session is one process, or several of pytest-xdist; it is looked when the last of them has ended, however they did.
What is found fails the session, and is taken away.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import docker
import psutil
import pytest
from requirements import connect

from orchestrator.backends.docker.leftovers import Thing, abandoned, remove, things
from orchestrator.backends.leftovers import orchestrator_id

SESSION = "FAULTBED_TEST_SESSION"
"""Every process that a test starts inherits this variable, and is found by it."""
ENDING = 30.0
"""Seconds that a process has: it ends by itself when its orchestrator's pipe does."""
PATIENCE = 60.0
"""Seconds that another session at the same engine has to remove what is its own; ours has removed everything by now."""
PAUSE = 0.5


class Residue:
    """A plugin of the session's first process: it outlives the workers."""

    def __init__(self) -> None:
        self._session = os.environ[SESSION] = uuid.uuid4().hex
        self._began = _born(orchestrator_id())

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Last: pytest-xdist ends its workers in this hook."""
        found = [*self._processes(), *self._things()]
        if found:
            session.config.hook.pytest_runtest_logreport(report=_error(found))
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def _processes(self) -> list[str]:
        _, alive = psutil.wait_procs(_of(self._session), timeout=ENDING)
        found = []
        for process in alive:
            with suppress(psutil.NoSuchProcess):  # it ended after all
                found.append(f"process {process.pid} {' '.join(process.cmdline())}")
                process.kill()
        return found

    def _things(self) -> list[str]:
        client = connect()
        if isinstance(client, str):
            return []
        deadline = time.monotonic() + PATIENCE
        while (left := self._left(client)) and time.monotonic() < deadline:
            time.sleep(PAUSE)
        with ThreadPoolExecutor() as pool:
            remove(client, left, pool)
        client.close()
        return [str(thing) for thing in left]

    def _left(self, client: docker.DockerClient) -> list[Thing]:
        """What nobody will remove any more, of what was made since: other sessions that go on are left alone."""
        left = {thing for thing in abandoned(client) if _born(thing.owner.orchestrator) >= self._began}
        return [*left, *(thing for thing in things(client) if thing.owner.orchestrator == orchestrator_id())]


def _of(session: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(SESSION) == session:
                found.append(process)
        except psutil.Error:  # ended meanwhile, or another user's
            continue
    return found


def _born(orchestrator: str) -> float:
    """When it began, who has to remove what is labelled so."""
    return float(orchestrator.partition(":")[2])


def _error(found: Iterable[str]) -> pytest.TestReport:
    name = "what the tests left"
    said = "left by the tests, and removed now:\n" + "\n".join(found)
    return pytest.TestReport(name, (name, None, name), {}, "failed", said, "teardown")
