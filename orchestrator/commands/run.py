"""`faultbed run`: which cells, in which order, with which seeds; what is told meanwhile and at the end."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from time import monotonic

import click

from chaos.problem import Problem
from orchestrator.backends.backend import Backend, Check, Options, Ready
from orchestrator.backends.refusals import refusal
from orchestrator.commands.endings import WORDS, Unheard, exit_of, say
from orchestrator.commands.junit_file import JUnitFile
from orchestrator.commands.progress import Progress
from orchestrator.commands.surroundings import origin
from orchestrator.report.closing import closing
from orchestrator.report.due import Due, due
from orchestrator.report.lines import cell_line
from orchestrator.report.origin import Origin
from orchestrator.report.result import CellResult, Ending, Exit, Refusal, Task
from orchestrator.report.summary import summary
from orchestrator.run.session import SessionError
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.matrix import values_of
from orchestrator.scenario.plan import Plan, mistakes
from orchestrator.sweep.failures import said
from orchestrator.sweep.store import HISTORY, LATEST, Store, read_history

LARGEST_SEED = 2**63


@dataclass(frozen=True)
class Choice:
    """What the user chose; see the options of `faultbed run`."""

    backend: Backend
    options: Options
    seed: int | None
    repeat: int
    jobs: int
    out: Path
    only: str | None
    engine: str | None = None


class Command:
    """One call of `faultbed run`. What its cells come to is also in `junit`."""

    def __init__(self, plans: Sequence[Plan], choice: Choice, time: str, junit: JUnitFile) -> None:
        self._plans = plans
        self._choice = choice
        self._store = Store(choice.out, time)
        self._junit = junit
        self._results = junit.results
        self._origin: Origin | None = None
        self._begun = 0.0
        self._problems: list[str] = []
        self._unheard: Unheard | None = None

    def run(self) -> Exit:
        """Raises BadScenario or ClickException before anything is started, SessionError if not all is undone."""
        cells = on_engine(selected(self._plans, self._choice.only), self._choice)
        wanted = [cell for cell in cells if cell.not_applicable is None]
        skipped = self._junit.skipped = [cell for cell in cells if cell.not_applicable is not None]
        if not wanted:
            raise click.UsageError(f"nothing to run: {skipped[0].not_applicable}")
        backend = self._choice.backend
        wanted = self._possible(wanted, backend.problems)
        with backend.connect(self._choice.options) as ready:
            wanted = self._possible(wanted, ready.problems)
            self._try_out(wanted)
            tasks = self._tasks(wanted)
            self._store.due = tasks.due
            self._begun = monotonic()
            self._origin = origin(self._choice.seed, backend.engine(wanted))
            interrupted = self._perform(tasks, ready)
        self._keep()
        if self._unheard is None:
            self._tell()
        if self._problems:
            raise SessionError("; ".join(self._problems))
        if self._unheard is not None and (interrupted is None or not self._unheard.gone):
            raise self._unheard
        return self._junit.told.exit if interrupted is None else interrupted

    def _tasks(self, wanted: Sequence[Cell]) -> Tasks:
        return Tasks(wanted, self._choice.seed, self._choice.repeat)

    def _possible(self, cells: list[Cell], ask: Check) -> list[Cell]:
        """Those that can be run. The others are left out, where a folder brought them and something is left."""
        refused = [found for cell in cells if (found := refusal(cell, ask(cell))) is not None]
        self._junit.left_out += refused
        left = [cell for cell in cells if not any(cell is one.cell for one in refused)]
        named = {plan.scenario for plan in self._plans if plan.named}
        for name, those in groupby(refused, key=lambda one: one.cell.scenario):
            if not left or name in named:
                raise mistakes(self._path(name), _told_once(those))
        return left

    def _try_out(self, wanted: Sequence[Cell]) -> None:
        """Raises UsageError where runs cannot be kept, before anything is started."""
        try:
            self._store.try_out(dict.fromkeys(cell.scenario for cell in wanted))
        except OSError as error:
            reason = f"{said(error)}; expected a folder that can be written"
            raise click.UsageError(f"--out {self._choice.out}: {reason}") from None

    def _perform(self, wanted: Collection[Task], ready: Ready) -> Exit | None:
        """Run them all; -> the exit code of the signal that ended it, None if none did."""
        from orchestrator.sweep.cells import run_cells

        with Progress(len(wanted), sys.stderr) as progress:

            def finished(result: CellResult) -> None:
                self._results.append(result)
                progress.advance(result)
                try:
                    if not sys.stdout.isatty():
                        say(cell_line(result))
                except Unheard as error:
                    self._unheard = error
                    raise KeyboardInterrupt from error  # nobody wants the rest

            try:
                run_cells(wanted, ready, self._choice.jobs, self._store, finished)
            except KeyboardInterrupt as error:
                code, what = exit_of(error), f"{len(self._results)} of {len(wanted)} cell runs had ended"
                self._junit.ending = Ending(code, f"{WORDS[code]}: {what}")
                return code
            except SessionError as error:
                if not self._results:
                    raise
                self._problems.append(str(error))  # what the cells came to is told all the same
        return None

    def _keep(self) -> None:
        # Cells that ran side by side end in any order; what is told has the scenario's.
        places = {(cell.scenario, cell.cell): place for place, cell in enumerate(self._every())}
        self._results.sort(key=lambda result: (places[result.cell.scenario, result.cell.cell], result.repeat))
        assert self._origin is not None, "what was performed had an origin"
        made_by = self._origin._replace(seconds=round(monotonic() - self._begun, 3))
        try:
            told, backend = self._junit.told, self._choice.backend.name
            self._store.finish({name: summary(told.of(name), backend, made_by) for name in told.scenarios})
        except OSError as error:
            self._problems.append(said(error))

    def _tell(self) -> None:
        try:
            for line in self._report():
                say(line)
        except Unheard as error:
            self._unheard = error

    def _report(self) -> Iterator[str]:
        told = self._junit.told
        yield from closing(told, lambda directory: read_history(directory / HISTORY))
        names = told.scenarios
        if not names:
            return
        latest = [str(self._store.run(name).parent / LATEST) for name in names]
        yield (f"results: {latest[0]}" if len(names) == 1 else f"results: {self._choice.out}/*/{LATEST}")
        if self._results[0].directory is not None:
            yield ("try next:")
            yield (f"  faultbed check {latest[0]}   judge the recorded evidence again")
            yield (f"  faultbed export {self._results[0].directory}   every event of one cell")
            yield from self._next(names[0])

    def _next(self, scenario: str) -> Iterator[str]:
        yield f"  faultbed replay {self._results[0].directory}   do again what was done to it, on any backend"
        yield f"  faultbed show {self._path(scenario)}   the scenario, to start your own from"

    def _path(self, scenario: str) -> Path:
        return next(plan.path for plan in self._plans if plan.scenario == scenario)

    def _every(self) -> list[Cell]:
        return [cell for plan in self._plans for cell in plan.cells]


def _told_once(refused: Iterable[Refusal]) -> Iterable[Problem]:
    """Of several cells with the same problem the first is told."""
    found: dict[Problem, Problem] = {}
    for cell, problems in refused:
        where = f" (in cell {cell.cell})" if cell.axes else ""
        for problem in problems:
            found.setdefault(problem, problem._replace(message=f"{problem.message}{where}"))
    return found.values()


def selected(plans: Sequence[Plan], only: str | None) -> list[Cell]:
    """The cells that have every axis value of `only`. Raises UsageError if there are none."""
    cells = [cell for plan in plans for cell in plan.cells]
    if only is None or only == "-":
        return cells
    try:
        wanted = values_of(only)
    except ValueError as error:
        usage = "expected AXIS=VALUE,..., such as semantics=maybe,transport=udp"
        raise click.UsageError(f"--only {only!r}: {error}; {usage}") from None
    found = [cell for cell in cells if wanted.items() <= cell.axes.items()]
    if not found:
        raise click.UsageError(f"--only {only!r}: no such cell; expected values such as {cells[0].cell!r}")
    return found


def on_engine(cells: list[Cell], choice: Choice) -> list[Cell]:
    """With the engine that was chosen, if one was. Raises UsageError where nothing would run on it."""
    engine = choice.engine
    if engine is None:
        return cells
    if choice.backend.performs:
        raise click.UsageError(f"--engine {engine}: with --backend {choice.backend.name} no node has an engine")
    if not any(cell.servers or cell.clients for cell in cells):
        raise click.UsageError(f"--engine {engine}: no node of ours is in these scenarios, and no other has an engine")
    return [cell.on_engine(engine) for cell in cells]


class Tasks(Collection[Task]):
    """Every cell `repeat` times, the whole table before the next repeat; each repeat has the next seed.

    One is made when it is asked for: `--repeat` may make millions of them.
    """

    def __init__(self, cells: Sequence[Cell], seed: int | None, repeat: int) -> None:
        self._cells = cells
        self._seed = seed
        self._repeat = repeat

    @property
    def due(self) -> dict[str, Due]:
        """What the runs are to have, by scenario."""
        return due(self._cells, self._repeat)

    def __len__(self) -> int:
        return len(self._cells) * self._repeat

    def __contains__(self, task: object) -> bool:
        return any(one == task for one in self)

    def __iter__(self) -> Iterator[Task]:
        for number in range(self._repeat):
            for cell in self._cells:
                start = cell.seed if self._seed is None else self._seed
                yield Task(cell.model_copy(update={"seed": (start + number) % LARGEST_SEED}), number + 1)
