"""Runs a program against real time: the few operations that the run's program yields, and Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nodes.clock import now
from nodes.ops import Get, Now, Program, Put, Queue, Sleep
from orchestrator.backends.real import RealSession


def run(program: Program, session: RealSession) -> Any:
    """Perform Get, Put, Sleep and Now until the program returns -> its result, or its error is raised.

    The first Ctrl-C throws KeyboardInterrupt in where the program waits, so that it can heal and finish; a second one
    is raised wherever it strikes. In another thread than the main one there is no Ctrl-C; see RealSession.interrupt.
    """
    with _first_interrupt_waits(session):
        return _drive(program, session)


def _drive(program: Program, session: RealSession) -> Any:
    resume: Any = program.send
    value: Any = None
    while True:
        try:
            operation = resume(value)
        except StopIteration as stop:
            return stop.value
        try:
            resume, value = program.send, _perform(operation, session)
        except (TimeoutError, KeyboardInterrupt) as error:
            resume, value = program.throw, error


def _perform(operation: Any, session: RealSession) -> Any:
    match operation:
        case Get():
            return _get(operation.queue, operation.deadline, session)
        case Now():
            return now()
        case Put():
            operation.queue.items.append(operation.item)
        case Sleep():
            while now() < operation.until:
                session.pump(operation.until)
        case _:
            raise TypeError(f"the run's program may not yield {operation!r}")
    return None


def _get(queue: Queue, deadline: int | None, session: RealSession) -> Any:
    while not queue.items:
        if not session.pump(deadline) and deadline is not None and now() >= deadline:
            raise TimeoutError
    return queue.items.popleft()


@contextmanager
def _first_interrupt_waits(session: RealSession) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        session.interrupt()

    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
