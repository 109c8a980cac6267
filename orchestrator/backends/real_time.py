"""Runs a program against real time: the few operations that the run's program yields, and signals that end it."""

from __future__ import annotations

from typing import Any

from nodes.clock import now
from nodes.ops import Get, Now, Program, Put, Queue, Sleep
from orchestrator.backends.interrupts import first_waits
from orchestrator.backends.real import RealSession


def run(program: Program, session: RealSession) -> Any:
    """Perform Get, Put, Sleep and Now until the program returns -> its result, or its error is raised.

    The first signal throws KeyboardInterrupt in where the program waits, so that it can heal and finish; a second one
    is raised wherever it strikes. In another thread than the main one there are none; see RealSession.interrupt.
    """
    with first_waits(lambda number: session.interrupt()):
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
