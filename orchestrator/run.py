"""Runs cells: each on its own processes or in its own simulated world, some at once, and judges what was collected."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

from nodes.journal import JournalError
from nodes.ledger import LedgerError
from orchestrator.attention import RunFailed
from orchestrator.backends import Collected, SessionError
from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import Judgement
from orchestrator.history import History, HistoryError, merge
from orchestrator.result import CellResult, Task
from orchestrator.runners import OPEN, Interrupts, Options, Runner
from orchestrator.scenario import Cell
from orchestrator.store import CellStore, Store
from orchestrator.threads import workers

Done = Callable[[CellResult], None]

NONE = Options()

FAILURES = (RunFailed, SessionError, JournalError, LedgerError, HistoryError, OSError)
"""What is the testbed's failure, with a message that says what, where and why."""


def run_cells(
    tasks: Sequence[Task], backend: str, jobs: int, store: Store, done: Done, options: Options = NONE
) -> list[CellResult]:
    """Run every task, `jobs` at a time, and tell `done` of each as it ends, from this thread.

    Raises SessionError where the backend cannot be had, or could not undo what it made.

    After Ctrl-C the cells that run heal, stop and keep their partial histories, and `done` is told that they were
    interrupted; the rest is not begun. Raises KeyboardInterrupt then.
    """
    interrupts = Interrupts()
    with OPEN[backend](options, interrupts) as runner, _workers(jobs, tasks) as pool:
        store.begin(tasks)
        try:
            with _first_interrupt_waits(interrupts):
                futures = [pool.submit(_one, task, runner, store, interrupts) for task in tasks]
                results = _gather(futures, done)
        except BaseException:
            interrupts.interrupt()  # the pool waits for its threads, which must not go on with the rest
            raise
    if interrupts.happened:
        raise KeyboardInterrupt
    return results


def _workers(jobs: int, tasks: Sequence[Task]) -> ThreadPoolExecutor:
    return workers(max(1, min(jobs, len(tasks))), "cells that run side by side (--jobs)")


@contextmanager
def _first_interrupt_waits(interrupts: Interrupts) -> Iterator[None]:
    """The first Ctrl-C, wherever it strikes, interrupts every session and no more; a second one is raised.

    Where it is ignored, as in a shell's background, it stays so.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interrupts.interrupt()

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _gather(futures: Iterable[Future[CellResult | None]], done: Done) -> list[CellResult]:
    results: list[CellResult] = []
    waiting = set(futures)
    while waiting:
        ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for result in _results(ended):
            results.append(result)
            done(result)
    return results


def _results(ended: Iterable[Future[CellResult | None]]) -> Iterable[CellResult]:
    for future in ended:
        result = future.result()
        if result is not None:
            yield result


def _one(task: Task, runner: Runner, store: Store, interrupts: Interrupts) -> CellResult | None:
    if interrupts.happened:
        return None
    start = time.monotonic()
    try:
        folder = store.cell(task)
        folder.write_plan(task.cell)
    except OSError as error:
        return CellResult(task.cell, task.repeat, time.monotonic() - start, error=f"nothing can be kept: {error}")
    kept: list[History] = []
    judgement, problem, interrupted = _conduct(task.cell, runner, folder, kept)
    seconds = time.monotonic() - start
    clocks = kept[0].clocks if kept else ()
    return CellResult(task.cell, task.repeat, seconds, judgement, problem, folder.directory, interrupted, clocks)


def _conduct(
    cell: Cell, runner: Runner, folder: CellStore, kept: list[History]
) -> tuple[Judgement | None, str | None, bool]:
    """-> (judgement, error, interrupted); `kept` gets the history, which is on disk before any checker runs."""

    def collect(collected: Collected) -> None:
        journals = {key: journal.records for key, journal in collected.journals.items()}
        kept.append(merge(journals, collected.ledgers, collected.clocks))
        folder.write_history(kept[0])

    try:
        runner(cell, folder, collect)
        judgement = judge(cell, kept[0])
        folder.write_verdicts(judgement)
    except KeyboardInterrupt:
        return None, None, True
    except FAILURES as failure:
        return None, str(failure), False
    return judgement, None, False
