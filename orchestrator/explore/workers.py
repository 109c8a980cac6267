"""Processes that make runs, each at the other end of a pipe: one ends when its pipe does, whoever ended it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.resource_tracker import ensure_running

from orchestrator.backends.interrupts import SIGNALS
from orchestrator.explore.hunt import Hunt, Made, Maker, Order
from orchestrator.explore.subject import Subject

AT_ONCE = 8
"""Runs that a worker is asked for together."""


def hunt(subject: Subject, state: Hunt, jobs: int, over: Callable[[], bool]) -> None:
    """Make its runs until it is over, or this says so, which is asked every few runs. Raises Barren."""
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


def _together(workers: list[Connection], state: Hunt, over: Callable[[], bool]) -> None:
    idle, busy = list(workers), set[Connection]()
    while not over():
        while idle and (orders := list(islice(state.orders(), AT_ONCE))):
            worker = idle.pop()
            worker.send(orders)
            busy.add(worker)
        if not busy:
            return
        for answered in wait(busy):
            assert isinstance(answered, Connection)
            for made in _answer(answered):
                state.hear(made)
            busy.discard(answered)
            idle.append(answered)


def _answer(worker: Connection) -> list[Made]:
    """Raises what the worker met."""
    answer = worker.recv()
    if isinstance(answer, Exception):
        raise answer
    return list(answer)


@contextmanager
def _started(subject: Subject, jobs: int) -> Iterator[list[Connection]]:
    """They are started anew, not forked: whoever has threads must not fork."""
    context = get_context("spawn")
    ends, processes = [], []
    try:
        with _held():
            for _ in range(jobs):
                ours, theirs = context.Pipe()
                process = context.Process(target=_work, args=(subject, theirs), daemon=True)
                process.start()
                theirs.close()
                ends.append(ours)
                processes.append(process)
        yield ends
    finally:
        for end in ends:
            end.close()
        for process in processes:
            process.kill()
            process.join()


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
