"""Runs cells: each on its own processes or in its own simulated world, some at once, and judges what was collected."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from orchestrator.backends import ready as ready_one
from orchestrator.backends.backend import Options, Ready, Runner
from orchestrator.backends.interrupts import Interrupted, Interrupts, first_waits
from orchestrator.backends.threads import workers
from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import Judgement
from orchestrator.history.collected import Collected
from orchestrator.history.merged import History
from orchestrator.report.result import CellResult, Task
from orchestrator.scenario.cell import Cell
from orchestrator.sweep.failures import FAILURES, said, with_first
from orchestrator.sweep.store import CellStore, Store
from orchestrator.sweep.unseen import no_thread_dies_unseen

Done = Callable[[CellResult], None]
Ahead = Future[CellResult | None]


@dataclass(frozen=True)
class CellRun:
    """One run of one cell, as a value that can be pickled: another process, or another machine, can perform it.

    `folder` is to hold what it leaves (orchestrator/sweep/store.py); it is not there yet.
    """

    cell: Cell
    repeat: int
    backend: str
    options: Options
    folder: Path


def perform(run: CellRun) -> CellResult:
    """On a backend that is opened for it alone. Raises as `run_cells` does."""
    interrupts = Interrupts()
    with ready_one(run.backend, run.options) as ready, _ended_by(interrupts), ready.open(interrupts) as runner:
        return _conduct(run, runner)


def run_cells(tasks: Collection[Task], ready: Ready, jobs: int, store: Store, done: Done) -> list[CellResult]:
    """Run every task, `jobs` at a time, and tell `done` of each as it ends, from this thread.

    Raises SessionError where the backend cannot be had, or could not undo what it made.

    After a signal the cells that run heal, stop and keep their partial histories, and `done` is told that they were
    interrupted; the rest is not begun. Raises Interrupted then.
    """
    interrupts = Interrupts()
    with _ended_by(interrupts):
        return _run(tasks, ready, jobs, store, done, interrupts)


@contextmanager
def _ended_by(interrupts: Interrupts) -> Iterator[None]:
    """A signal, or the death of a thread, ends in order what runs. Raises Interrupted, SessionError in the end."""
    with first_waits(interrupts.interrupt), no_thread_dies_unseen(interrupts.interrupt):
        try:
            yield
        except KeyboardInterrupt:
            interrupts.interrupt()  # by a second signal, say; the first one is what ended the run
    if interrupts.number is not None:
        raise Interrupted(interrupts.number)


def _run(
    tasks: Collection[Task], ready: Ready, jobs: int, store: Store, done: Done, interrupts: Interrupts
) -> list[CellResult]:
    with ready.open(interrupts) as runner, _workers(jobs, tasks) as pool:
        store.begin()
        try:
            coming = iter(tasks)

            def begin(number: int) -> set[Ahead]:
                """So many more, unless a signal came."""
                number = 0 if interrupts.happened else number
                return {pool.submit(one, task) for task in islice(coming, number)}

            def one(task: Task) -> CellResult | None:
                if interrupts.happened:
                    return None
                run = CellRun(task.cell, task.repeat, ready.backend, ready.options, store.folder(task))
                return _conduct(run, runner)

            return _gather(begin, jobs, done)
        except BaseException:
            interrupts.interrupt()  # the pool waits for its threads, which must not go on with the rest
            raise


def _workers(jobs: int, tasks: Collection[Task]) -> ThreadPoolExecutor:
    return workers(max(1, min(jobs, len(tasks))), "cells that run side by side (--jobs)")


def _gather(begin: Callable[[int], set[Ahead]], jobs: int, done: Done) -> list[CellResult]:
    """No more are begun than run side by side."""
    results: list[CellResult] = []
    waiting = begin(jobs)
    while waiting:
        ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        waiting |= begin(len(ended))
        for result in _results(ended):
            results.append(result)
            done(result)
    return results


def _results(ended: Iterable[Ahead]) -> Iterable[CellResult]:
    for future in ended:
        result = future.result()
        if result is not None:
            yield result


def _conduct(run: CellRun, runner: Runner) -> CellResult:
    start = time.monotonic()
    try:
        folder = CellStore(run.folder)
        plan = folder.write_plan(run.cell)
    except OSError as error:
        return CellResult(run.cell, run.repeat, time.monotonic() - start, error=f"nothing can be kept: {said(error)}")
    kept: list[History] = []
    judgement, problem, interrupted = _judged(run.cell, plan, runner, folder, kept)
    seconds = time.monotonic() - start
    clocks = kept[0].clocks if kept else ()
    return CellResult(run.cell, run.repeat, seconds, judgement, problem, folder.directory, interrupted, clocks)


def _judged(
    cell: Cell, plan: str, runner: Runner, folder: CellStore, kept: list[History]
) -> tuple[Judgement | None, str | None, bool]:
    """-> (judgement, error, interrupted); `kept` gets the history, which is on disk before any checker runs."""

    def collect(collected: Collected) -> None:
        kept.append(collected.history()._replace(plan=plan))
        folder.write_history(kept[0])

    try:
        runner(cell, folder, collect)
        judgement = judge(cell, kept[0], plan)
        folder.write_verdicts(judgement)
    except KeyboardInterrupt:
        return None, None, True
    except Exception as failure:
        return None, _told(failure, folder), False
    return judgement, None, False


def _told(failure: Exception, folder: CellStore) -> str:
    """A defect may not come again, so where it struck is kept."""
    if isinstance(failure, (*FAILURES, MemoryError)):
        return with_first(failure)
    kept = folder.write_traceback(failure)
    return f"{said(failure)}; see {kept}" if kept else said(failure)
