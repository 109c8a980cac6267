"""Which test runs which line: the fast unit tests, once, under coverage.py, in a process of their own."""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import coverage
import pytest
from session import ROOT, run_session

SLOW = 2.0
"""Seconds of CPU time, or PATIENCE seconds in all; a test that takes longer is left out, and so are all that use a
fixture that does."""
PATIENCE = 30.0
BESIDE = 20.0
"""Seconds of CPU time that the tests beside those which run a line may take in all."""
UNMEASURED = 600
"""Seconds a test may take here."""


@dataclass
class CoverageMap:
    """What a session of all tests showed; `failed` is its output if it was not green."""

    failed: str = ""
    tests: list[str] = field(default_factory=list)
    """Their node ids."""
    runs: dict[str, dict[int, set[int]]] = field(default_factory=dict)
    """File -> line -> the tests (their places in `tests`) in which it ran."""
    at_import: dict[str, set[int]] = field(default_factory=dict)
    """File -> lines that ran while a module was imported."""
    breadth: dict[int, int] = field(default_factory=dict)
    """Test -> how many lines it runs."""
    seconds: list[float] = field(default_factory=list)
    """Their CPU time, without that of their fixtures."""
    slow: set[int] = field(default_factory=set)
    """Tests that are left out."""
    libraries: list[str] = field(default_factory=list)
    """Modules that are none of the project's, imported on the way: whoever forks may import them before."""

    def of_lines(self, path: Path, lines: frozenset[int]) -> set[int]:
        return set().union(*(self.runs.get(str(path), {}).get(line, ()) for line in lines))

    def ran_at_import(self, path: Path, lines: frozenset[int]) -> bool:
        return bool(lines & self.at_import.get(str(path), set()))

    def of_file(self, path: Path) -> set[int]:
        return set().union(*self.runs.get(str(path), {}).values())

    def of_tests(self, path: Path) -> set[int]:
        """The tests in that file, whatever they run."""
        name = str(path.relative_to(ROOT))
        return {n for n, test in enumerate(self.tests) if _file(test) == name and n not in self.slow}

    def beside(self, tests: set[int]) -> set[int]:
        """The others in their files, the quickest files first: what is made once for several tests, by a fixture or a
        cache, runs in the first of them alone, and another may be the one that looks at it."""
        files: dict[str, list[int]] = {_file(self.tests[test]): [] for test in tests}
        for n, test in enumerate(self.tests):
            if n not in tests and n not in self.slow and _file(test) in files:
                files[_file(test)].append(n)
        found: set[int] = set()
        spent = 0.0
        for took, own in sorted((sum(self.seconds[n] for n in own), own) for own in files.values()):
            spent += took
            if spent <= BESIDE:
                found.update(own)
        return found

    def narrowest_first(self, tests: set[int]) -> list[str]:
        """The file that has the test which runs the fewest lines comes first: it is about what was changed."""
        files: dict[str, list[int]] = defaultdict(list)
        for test in sorted(tests):
            files[_file(self.tests[test])].append(test)
        narrow = sorted(files.values(), key=lambda own: min(self.breadth[test] for test in own))
        return [self.tests[test] for own in narrow for test in own]


class _Stopwatch:
    def __init__(self) -> None:
        self.cpu = -time.process_time()
        self.whole = -time.monotonic()

    def stop(self) -> None:
        self.cpu += time.process_time()
        self.whole += time.monotonic()

    def without(self, other: _Stopwatch) -> None:
        self.cpu -= other.cpu
        self.whole -= other.whole

    @property
    def slow(self) -> bool:
        return self.cpu > SLOW or self.whole > PATIENCE


class _Contexts:
    """A plugin: each test is a context of the measurement, named by its place in `tests`."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self.tests: list[str] = []
        self.seconds: list[float] = []
        self.slow: set[int] = set()
        """Their places in `tests`."""
        self.untraced = ""
        """A test that took the tracer away: of those after it nothing is known."""
        self._slow_fixtures: set[pytest.FixtureDef[object]] = set()
        self._watch = _Stopwatch()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._measured.switch_context(str(len(self.tests)))
        self._watch = _Stopwatch()
        tracer = sys.gettrace()
        result = yield
        if sys.gettrace() is not tracer:
            self.untraced = item.nodeid
        self._watch.stop()
        self._measured.switch_context("")
        if self._watch.slow or self._uses_slow(item):
            self.slow.add(len(self.tests))
        self.tests.append(item.nodeid)
        self.seconds.append(self._watch.cpu)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        """What is set up for several tests is not the first one's time."""
        watch = _Stopwatch()
        try:
            return (yield)
        finally:
            watch.stop()
            self._watch.without(watch)
            if watch.slow:
                self._slow_fixtures.add(fixturedef)

    def _uses_slow(self, item: pytest.Item) -> bool:
        used: dict[str, list[pytest.FixtureDef[object]]] = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
        return any(each in self._slow_fixtures for definitions in used.values() for each in definitions)


def measure(folder: Path, packages: list[str]) -> CoverageMap:
    """`folder` takes what the tests write, `packages` are the folders to measure. -> what ran."""
    measured = coverage.Coverage(data_file=None, include=[f"{ROOT}/{package}/*" for package in packages])
    contexts = _Contexts(measured)
    before = set(sys.modules)
    measured.start()
    code, output = run_session(folder, ["tests/unit"], [contexts], UNMEASURED)
    measured.stop()
    if code != pytest.ExitCode.OK:
        return CoverageMap(failed=output)
    if contexts.untraced:
        return CoverageMap(failed=f"{contexts.untraced} ends the measurement: it sets another trace function for good.")
    libraries = _libraries(set(sys.modules) - before)
    found = CoverageMap(tests=contexts.tests, seconds=contexts.seconds, slow=contexts.slow, libraries=libraries)
    fast = {str(n): n for n in range(len(contexts.tests)) if n not in contexts.slow}
    data = measured.get_data()
    for file in data.measured_files():
        by_line = data.contexts_by_lineno(file).items()
        found.at_import[file] = {line for line, tests in by_line if "" in tests}
        found.runs[file] = {line: {fast[test] for test in tests if test in fast} for line, tests in by_line}
    found.breadth = Counter(test for lines in found.runs.values() for tests in lines.values() for test in tests)
    return found


def _file(test: str) -> str:
    return test.partition("::")[0]


def _libraries(names: set[str]) -> list[str]:
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in names}
    ours = str(ROOT) + "/"
    outside = [name for name, file in files.items() if file and (not file.startswith(ours) or "site-packages" in file)]
    return sorted(name for name in outside if name.partition(".")[0] not in {"_pytest", "pytest", "coverage"})
