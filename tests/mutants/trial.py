"""Tries a mutant: in a fork, its module is imported changed, and the tests that could notice run until one does.

The files are never touched: the change is made where Python reads the module.
"""

from __future__ import annotations

import importlib.machinery
import os
import resource
import shutil
from collections.abc import Iterable, Iterator
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType
from typing import NoReturn

import pytest
from session import run_session

CPU = 120
"""Seconds of a core, for what goes round for ever where pytest-timeout cannot interrupt it."""
MEMORY = 4 << 30
"""Bytes, for what grows for ever."""
FEW = 3
LATE = 99
"""The exit code of one in which a test took too long."""
FORK = get_context("fork")


def start(folder: Path, path: Path, text: str, tests: list[str]) -> BaseProcess:
    """-> a process that ends with 0 if all `tests` pass, `text` in the place of `path`; it writes into `folder`."""
    process = FORK.Process(target=_try, args=(folder, path, text, tests))
    process.start()
    return process


def by_time(process: BaseProcess) -> bool:
    """Of one that has not ended with 0: whether time was up, and no test failed. A signal ends it for its CPU time, or
    since whoever waited has waited long enough."""
    return process.exitcode is None or process.exitcode < 0 or process.exitcode == LATE


def _try(folder: Path, path: Path, text: str, tests: list[str]) -> NoReturn:
    os.setsid()  # whoever ends this process ends what the tests started, too
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _import_changed(path, text)
    own = folder / str(os.getpid())
    own.mkdir()
    code, printed = 0, ""
    for some in _portions(tests):
        if not code:
            code, printed = run_session(own, some, [_Only(tests)])
    shutil.rmtree(own, ignore_errors=True)
    os._exit(LATE if code and "from pytest-timeout" in printed else code)


def _portions(tests: Iterable[str]) -> Iterator[list[str]]:
    """Their files, in order: most of what is noticed the first few notice, and reading all of them takes long."""
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    for portion in (files[:FEW], files[FEW:]):
        if portion:
            yield portion


def _import_changed(path: Path, text: str) -> None:
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        if self.path == str(path):
            return compile(text, self.path, "exec", dont_inherit=True)
        return original(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[assignment,method-assign]


class _Only:
    """A plugin: of the collected tests, those that were asked for, in that order."""

    def __init__(self, tests: Iterable[str]) -> None:
        self._rank = {test: n for n, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._rank), key=lambda item: self._rank[item.nodeid]
        )
