"""Processes that make runs, each at the other end of a pipe: one ends when its pipe does, whoever ended it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.resource_tracker import ensure_running

from orchestrator.backends.interrupts import SIGNALS
from orchestrator.explore.hunt import Hunt, Made, Maker, Order
from orchestrator.explore.subject import Subject
from orchestrator.run.attention import RunFailed

AT_ONCE = 8
"""Runs that a worker is asked for together."""

Workers = dict[Connection, BaseProcess]
"""Each by our end of its pipe."""


class WorkerDied(RunFailed):
    """Whoever made runs makes none any more; what was heard of them until then is known."""

    def __init__(self, process: BaseProcess, jobs: int) -> None:
        code = process.exitcode or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        advice = "if memory ran out, give it fewer --jobs"
        super().__init__(f"one of the {jobs} processes that make runs {how}, so there were no more runs; {advice}")


def hunt(subject: Subject, state: Hunt, jobs: int, over: Callable[[], bool]) -> None:
    """Make its runs until it is over, or this says so, which is asked every few runs. Raises Barren, or WorkerDied."""
    if jobs == 1:
        _alone(Maker(subject.ground), state, over)
    else:
        with _started(subject, jobs) as workers:
            _together(workers, state, over)


def _alone(maker: Maker, state: Hunt, over: Callable[[], bool]) -> None:
    while not over():
        orders = list(islice(state.orders(), AT_ONCE))
        if not orders:
            return
        for order in orders:
            state.hear(maker.make(order))


def _together(workers: Workers, state: Hunt, over: Callable[[], bool]) -> None:
    idle, busy = list(workers), set[Connection]()
    while not over():
        while idle and (orders := list(islice(state.orders(), AT_ONCE))):
            worker = idle.pop()
            with _living(workers, worker):
                worker.send(orders)
            busy.add(worker)
        if not busy:
            return
        for answered in wait(busy):
            assert isinstance(answered, Connection)
            with _living(workers, answered):
                answer = answered.recv()
            for made in _made_of(answer):
                state.hear(made)
            busy.discard(answered)
            idle.append(answered)


@contextmanager
def _living(workers: Workers, one: Connection) -> Iterator[None]:
    """Raises WorkerDied: its end of the pipe was closed, and nobody else has it."""
    try:
        yield
    except (EOFError, OSError):
        workers[one].join()
        raise WorkerDied(workers[one], len(workers)) from None


def _made_of(answer: list[Made] | Exception) -> list[Made]:
    """Raises what the worker met."""
    if isinstance(answer, Exception):
        raise answer
    return answer


@contextmanager
def _started(subject: Subject, jobs: int) -> Iterator[Workers]:
    """They are started anew, not forked: whoever has threads must not fork."""
    context = get_context("spawn")
    workers: Workers = {}
    try:
        with _held():
            for _ in range(jobs):
                ours, theirs = context.Pipe()
                process = context.Process(target=_work, args=(subject, theirs), daemon=True)
                process.start()
                theirs.close()
                workers[ours] = process
        yield workers
    finally:
        for end in workers:
            end.close()
        for each in workers.values():
            each.kill()
            each.join()


@contextmanager
def _held() -> Iterator[None]:
    """Whoever is started meanwhile hears of no signal for all until it ignores them; we do a moment later."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ensure_running()  # at its own start it would let them through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(subject: Subject, orders: Connection) -> None:
    """A signal for all is for the one that asks: it tells what it knows, and closes the pipe."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    maker = Maker(subject.ground)
    while True:
        try:
            asked: list[Order] = orders.recv()
            orders.send(_made(maker, asked))
        except (EOFError, BrokenPipeError, ConnectionResetError):  # the last, if it left answers of ours unread
            return


def _made(maker: Maker, asked: list[Order]) -> list[Made] | Exception:
    try:
        return [maker.make(order) for order in asked]
    except Exception as error:
        return error
