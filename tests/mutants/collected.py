"""Tries mutants, most of them in forks of a process that has collected all tests: there a function is given its changed
code, which costs a fortieth of importing all anew. What runs when a module is imported is tried in forks of another.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from session import run_session
from trial import FORK, Attempt, Ending, Trial, Watch, afresh, compiled, end, in_forks


def tried(trials: list[Trial], folder: Path, jobs: int) -> Iterator[tuple[Trial, Ending]]:
    """-> how each ends. `jobs` of them run at a time; they write into `folder`."""
    here, there = FORK.Pipe(duplex=False)
    collecting = FORK.Process(target=_collect, args=(trials, folder, jobs, there))
    collecting.start()
    there.close()
    rest = dict(enumerate(trials))
    try:
        with suppress(EOFError):
            while True:
                n, ending = here.recv()
                yield rest.pop(n), ending
    finally:
        end(collecting)
    yield from in_forks(((trial, partial(afresh, trial)) for trial in rest.values()), folder, jobs)


def _collect(trials: list[Trial], folder: Path, jobs: int, there: Connection) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    own = folder / "collected"
    own.mkdir()
    watch = Watch()
    run_session(own, ["tests/unit"], [watch, _Collected(trials, folder, jobs, there, watch)])


class _Collected:
    """A plugin: instead of running the tests, tries with them what can be tried here, and tells how it ends."""

    def __init__(self, trials: list[Trial], folder: Path, jobs: int, there: Connection, watch: Watch) -> None:
        self._places = {trial: n for n, trial in enumerate(trials)}
        self._folder, self._jobs, self._there, self._watch = folder, jobs, there, watch

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        attempts = self._attempts(session, _functions())
        gc.freeze()  # else the first collection in each fork copies all that there is
        for trial, ending in in_forks(attempts, self._folder, self._jobs):
            self._there.send((self._places[trial], ending))
        return True

    def _attempts(
        self, session: pytest.Session, functions: dict[str, list[FunctionType]]
    ) -> Iterator[tuple[Trial, Attempt]]:
        items = {item.nodeid: item for item in session.items}
        for trial in self._places:
            changed = [] if trial.at_import else _changed(trial, functions.get(str(trial.path), []))
            if changed:
                yield trial, partial(self._attempt, session, changed, [items[test] for test in trial.tests])

    def _attempt(
        self, session: pytest.Session, changed: list[tuple[FunctionType, CodeType]], items: list[pytest.Item], own: Path
    ) -> int:
        for function, code in changed:
            function.__code__ = code
        session.config._tmp_path_factory._given_basetemp = own / "tmp"  # type: ignore[attr-defined]
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return self._watch.code(1)
        return 0


def _functions() -> dict[str, list[FunctionType]]:
    """By the file that they are in."""
    found = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, FunctionType):
            found[each.__code__.co_filename].append(each)
    return found


def _changed(trial: Trial, functions: list[FunctionType]) -> list[tuple[FunctionType, CodeType]]:
    """None if the changed code has other names of the functions around it than before, which it cannot be given."""
    codes = {(code.co_qualname, code.co_firstlineno): code for code in _codes(compiled(trial))}
    found = []
    for function in functions:
        was = function.__code__
        code = codes.get((was.co_qualname, was.co_firstlineno), was)
        if code != was and code.co_freevars == was.co_freevars:
            found.append((function, code))
    return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)
