"""`make mutants`: would a test notice? Random small changes of the pure modules, each tried against the unit tests.

Prints each change that no test noticed, and at the end the share that was. Changes that nothing could notice are listed
in `equivalent.yaml`, each with its reason, and do not count.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import yaml
from collected import tried
from coverage_map import CoverageMap, measure
from kept import kept
from operators import Mutant, compiles, is_pure, mutants
from session import ROOT
from trial import FORK, Ending, Trial, end

ENOUGH = 0.95
PACKAGES = ["nodes", "chaos", "orchestrator", "faultbed"]
EQUIVALENT = Path(__file__).with_name("equivalent.yaml")
EVERY = 10


@dataclass(frozen=True)
class Sample:
    path: Path
    mutant: Mutant

    def __str__(self) -> str:
        place = f"{self.path.relative_to(ROOT)}:{self.mutant.line} in {self.mutant.scope}"
        return f"{place}\n  - {self.mutant.was}\n  + {self.mutant.now}"


@dataclass
class Tally:
    killed: int = 0
    by_time: int = 0
    """Of the killed, those of which no test failed before time was up."""
    survived: list[Sample] = field(default_factory=list)

    @property
    def tried(self) -> int:
        return self.killed + len(self.survived)


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="faultbed-mutants-") as folder:
        return _run(options, Path(folder))


def _run(options: argparse.Namespace, folder: Path) -> int:
    pure = [path for path in _modules() if options.only in str(path.relative_to(ROOT)) and is_pure(path.read_text())]
    every = [Sample(path, mutant) for path in pure for mutant in mutants(path.read_text())]
    chosen = _sample(every, options.seed, options.count)
    known = {(entry["in"], entry["was"], entry["now"]) for entry in yaml.safe_load(EQUIVALENT.read_text()) or ()}
    outdated = known - {each.mutant.key for each in every} if not options.only else ()
    print(*(f"No such change any more, take it out of {EQUIVALENT.name}: {key}" for key in outdated), sep="\n", end="")
    candidates = [each for each in chosen if each.mutant.key not in known]
    print(
        f"{len(every)} mutants of {len(pure)} pure modules, {len(chosen)} of them tried (seed {options.seed}).",
        flush=True,
    )
    found = kept(lambda: _measured(folder))
    if found.failed:
        print(found.failed, "The tests must pass before any mutant is tried.", sep="\n", file=sys.stderr)
        return 2
    _warm(found.libraries)
    tally = _try_all(candidates, found, folder, options.jobs)
    return _close(tally, len(chosen) - len(candidates))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200, help="how many mutants are tried")
    parser.add_argument("--jobs", type=int, default=2, help="how many are tried at a time")
    parser.add_argument("--only", default="", metavar="TEXT", help="only modules with TEXT in their path")
    return parser.parse_args()


def _modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def _sample(every: list[Sample], seed: int, count: int) -> list[Sample]:
    shuffled = random.Random(seed).sample(every, len(every))
    chosen = []
    for each in shuffled:
        if len(chosen) < count and compiles(each.mutant):
            chosen.append(each)
    return chosen


def _measured(folder: Path) -> CoverageMap:
    """In a process of its own: this one must not have imported what is to be changed."""
    print("Measuring which test runs which line ...", flush=True)
    here, there = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_measure, args=(folder, there))
    process.start()
    there.close()
    try:
        found: CoverageMap = here.recv()
    finally:
        end(process)
    return found


def _measure(folder: Path, there: Connection) -> None:
    os.setsid()
    there.send(measure(folder, PACKAGES))


def _warm(libraries: list[str]) -> None:
    """What is imported here no fork has to import."""
    for name in libraries:
        with suppress(Exception):
            importlib.import_module(name)


def _could_notice(each: Sample, found: CoverageMap) -> list[str]:
    """What runs when a module is imported, all tests that use it may notice, and those that use whoever imports it.

    Before Python 3.12 a tracer loses who is running when an error is thrown into a generator, and sees nothing of them
    until they end: all tests that run some of a generator may run the rest of it.
    """
    if each.mutant.inside and not found.ran_at_import(each.path, each.mutant.lines):
        ran = found.of_lines(each.path, each.mutant.lines)
        program = found.of_lines(each.path, each.mutant.program) - ran
        in_turn = (ran, program, found.beside(ran | program))
        return [test for tests in in_turn for test in found.narrowest_first(tests)]
    tests = found.of_file(each.path)
    name = each.path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
    for importer in _importers().get(name, ()):
        tests |= found.of_file(importer) | found.of_tests(importer)
    return found.narrowest_first(tests)


@cache
def _importers() -> dict[str, set[Path]]:
    """Whoever imports a module, or something of it, by the dotted name."""
    found = defaultdict(set)
    for path in [*_modules(), *(ROOT / "tests" / "unit").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                    found[name].add(path)
    return found


def _try_all(samples: list[Sample], found: CoverageMap, folder: Path, jobs: int) -> Tally:
    began = time.monotonic()
    tally = Tally()
    trials: dict[Trial, Sample] = {}
    for each in samples:
        tests = _could_notice(each, found)
        if tests:
            at_import = not each.mutant.inside or found.ran_at_import(each.path, each.mutant.lines)
            trials[Trial(each.path, each.mutant.text, tests, at_import)] = each
        else:
            _survived(tally, each, "no test runs it")
    for trial, ending in tried(list(trials), folder, jobs):
        if ending is Ending.SURVIVED:
            _survived(tally, trials[trial], ending.value)
        else:
            tally.killed += 1
            tally.by_time += ending is Ending.BY_TIME
        _tell(tally, len(samples), began)
    return tally


def _survived(tally: Tally, each: Sample, why: str) -> None:
    tally.survived.append(each)
    print(f"\nSurvived ({why}): {each}", flush=True)


def _tell(tally: Tally, of: int, began: float) -> None:
    if tally.tried % EVERY == 0:
        print(f"{tally.tried} of {of} tried, {tally.killed} killed, {time.monotonic() - began:.0f} s", flush=True)


def _close(tally: Tally, equivalent: int) -> int:
    share = tally.killed / tally.tried if tally.tried else 1.0
    killed = f"killed {tally.killed} ({tally.by_time} by time) of {tally.tried} ({share:.1%})"
    print(f"\n{killed}, {equivalent} equivalent")
    return 0 if share >= ENOUGH else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; nothing is left behind")
