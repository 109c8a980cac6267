"""Runs cells: each on its own processes or in its own simulated world, some at once, and judges what was collected."""

from __future__ import annotations

import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from nodes.journal import JournalError
from nodes.ledger import LedgerError
from orchestrator.attention import RunFailed
from orchestrator.backends import Collected, Session, SessionError
from orchestrator.backends.local import LocalSession
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real import RealSession
from orchestrator.backends.real_time import run as run_in_real_time
from orchestrator.backends.sim import SimSession
from orchestrator.backends.sim import run as run_in_virtual_time
from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import Judgement
from orchestrator.conductor import Conductor
from orchestrator.history import History, HistoryError, merge
from orchestrator.result import CellResult, Task
from orchestrator.scenario import Cell
from orchestrator.store import CellStore, Store

BACKENDS = ("local", "sim")
Done = Callable[[CellResult], None]

FAILURES = (RunFailed, SessionError, JournalError, LedgerError, HistoryError, OSError)
"""What is the testbed's failure, with a message that says what, where and why."""


class Interrupts:
    """Ctrl-C for cells that run in other threads: every open session is interrupted, and none is opened after it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[RealSession] = set()
        self.happened = False

    def enter(self, session: RealSession) -> None:
        with self._lock:
            self._open.add(session)
            if self.happened:
                session.interrupt()

    def leave(self, session: RealSession) -> None:
        with self._lock:
            self._open.discard(session)

    def interrupt(self) -> None:
        with self._lock:
            self.happened = True
            for session in self._open:
                session.interrupt()


class Runner(Protocol):
    """A backend for one cell: conduct the run, and give what it left."""

    def __call__(self, cell: Cell, folder: CellStore, collect: Callable[[Collected], None]) -> None: ...


def run_cells(tasks: Sequence[Task], backend: str, jobs: int, store: Store, done: Done) -> list[CellResult]:
    """Run every task, `jobs` at a time, and tell `done` of each as it ends, from this thread.

    After Ctrl-C the cells that run heal, stop and keep their partial histories, and `done` is told that they were
    interrupted; the rest is not begun. Raises KeyboardInterrupt then.
    """
    interrupts = Interrupts()
    supervisor: AbstractContextManager[Supervisor | None] = nullcontext(None)
    if backend == "local":
        supervisor = Supervisor(secrets.token_hex(8))
    with supervisor as parent, ThreadPoolExecutor(jobs, "cell") as pool:
        runner = _local(parent, interrupts) if parent is not None else _sim
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
    judgement, problem, interrupted = _conduct(task.cell, runner, folder)
    seconds = time.monotonic() - start
    return CellResult(task.cell, task.repeat, seconds, judgement, problem, folder.directory, interrupted)


def _conduct(cell: Cell, runner: Runner, folder: CellStore) -> tuple[Judgement | None, str | None, bool]:
    """-> (judgement, error, interrupted). The history is on disk before any checker runs."""
    kept: list[History] = []

    def collect(collected: Collected) -> None:
        journals = {key: journal.records for key, journal in collected.journals.items()}
        kept.append(merge(journals, collected.ledgers))
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


def _local(supervisor: Supervisor, interrupts: Interrupts) -> Runner:
    def run(cell: Cell, folder: CellStore, collect: Callable[[Collected], None]) -> None:
        with LocalSession(supervisor, folder.logs) as session:
            interrupts.enter(session)
            try:
                run_in_real_time(Conductor(cell, session).program(), session)
            finally:
                interrupts.leave(session)
                _collect(session, collect)

    return run


def _sim(cell: Cell, folder: CellStore, collect: Callable[[Collected], None]) -> None:
    with SimSession(cell.seed) as session:
        try:
            run_in_virtual_time(Conductor(cell, session).program(), session)
        finally:
            _collect(session, collect)


def _collect(session: Session, collect: Callable[[Collected], None]) -> None:
    """Whatever happened, nothing runs any more and what is known is kept."""
    session.close()
    collect(session.collect())
