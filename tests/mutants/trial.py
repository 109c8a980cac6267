"""Tries a mutant: in a fork, its module is imported changed, and the tests that could notice run until one does.

The files are never touched: the change is made where Python reads the module.
"""

from __future__ import annotations

import importlib.machinery
import os
import resource
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType
from typing import NoReturn

import pytest
from session import run_session

CPU = 60
"""Seconds of a core for one test, for what goes round for ever where pytest-timeout cannot interrupt it."""
MEMORY = 4 << 30
"""Bytes, for what grows for ever."""
PATIENCE = 900.0
"""Seconds for one mutant, if neither pytest-timeout nor the limit of CPU time ended it."""
FEW = 3
TIME_WAS_UP = 99
"""The exit code of one in which a test took too long."""
FORK = get_context("fork")
Attempt = Callable[[Path], int]
"""In a fork: runs the tests, which write into a folder. -> an exit code, 0 if all passed."""


class Ending(Enum):
    SURVIVED = "no test fails"
    KILLED = "a test fails"
    BY_TIME = "no test failed before time was up"


@dataclass(frozen=True, eq=False)
class Trial:
    path: Path
    text: str
    """The whole module's, changed."""
    tests: list[str]
    """The node ids of those that could notice, in the order in which they run."""
    at_import: bool
    """Whether what is changed runs when the module is imported."""


def end(process: BaseProcess) -> None:
    """With all that it started: it leads a session of its own. Its forks lead theirs, and end with it."""
    assert process.pid is not None
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    process.join(5)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def in_forks(attempts: Iterator[tuple[Trial, Attempt]], folder: Path, jobs: int) -> Iterator[tuple[Trial, Ending]]:
    running: dict[BaseProcess, tuple[Trial, float]] = {}
    try:
        while True:
            for trial, attempt in islice(attempts, jobs - len(running)):
                process = FORK.Process(target=_try, args=(trial, attempt, folder))
                process.start()
                running[process] = trial, time.monotonic()
            if not running:
                return
            for process in _ended(running):
                yield running.pop(process)[0], _ending(process)
    finally:
        for process in running:
            end(process)


def _ended(running: dict[BaseProcess, tuple[Trial, float]]) -> list[BaseProcess]:
    """Waits for at least one, and ends those that are late."""
    oldest = min(began for _, began in running.values())
    wait([process.sentinel for process in running], timeout=max(0.0, oldest + PATIENCE - time.monotonic()))
    late = time.monotonic() - PATIENCE
    ended = [process for process, (_, began) in running.items() if began <= late or not process.is_alive()]
    for process in ended:
        end(process)
    return ended


def _ending(process: BaseProcess) -> Ending:
    """A signal ended it for its CPU time, or since whoever waited has waited long enough."""
    if process.exitcode == 0:
        return Ending.SURVIVED
    killed = process.exitcode is not None and process.exitcode > 0 and process.exitcode != TIME_WAS_UP
    return Ending.KILLED if killed else Ending.BY_TIME


def _try(trial: Trial, attempt: Attempt, folder: Path) -> NoReturn:
    os.setsid()  # whoever ends this process ends what the tests started, too
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _import_changed(trial)
    own = folder / str(os.getpid())
    own.mkdir()
    code = 1
    try:
        code = attempt(own)
    finally:
        shutil.rmtree(own, ignore_errors=True)
        os._exit(code)


def _import_changed(trial: Trial) -> None:
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        if self.path == str(trial.path):
            return compiled(trial)
        return original(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment,method-assign]


def compiled(trial: Trial) -> CodeType:
    return compile(trial.text, str(trial.path), "exec", dont_inherit=True)


def afresh(trial: Trial, own: Path) -> int:
    """In portions: most of what is noticed the first few files notice, and reading all of them takes long."""
    files = list(dict.fromkeys(test.partition("::")[0] for test in trial.tests))
    watch = Watch()
    for portion in (files[:FEW], files[FEW:]):
        code = run_session(own, portion, [_Only(trial.tests), watch])[0] if portion else 0
        if code:
            return watch.code(code)
    return 0


class _Only:
    """A plugin: of the collected tests, those that were asked for, in that order."""

    def __init__(self, tests: list[str]) -> None:
        self._rank = {test: n for n, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._rank), key=lambda item: self._rank[item.nodeid]
        )


class Watch:
    """A plugin: limits each test, and sees whether one failed for its time alone."""

    def __init__(self) -> None:
        self._late = False

    def code(self, code: int) -> int:
        return TIME_WAS_UP if self._late else code

    @pytest.hookimpl
    def pytest_runtest_logstart(self) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + CPU, most))

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._late = self._late or (report.failed and "from pytest-timeout" in report.longreprtext)
