"""No thread dies unseen: what nobody caught in one of them ends the run, in order, and is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestrator.run.session import SessionError
from orchestrator.sweep.failures import said


@contextmanager
def no_thread_dies_unseen(end: Callable[[], None]) -> Iterator[None]:
    """Call `end` in a thread that dies of an error; at the end raise SessionError that tells of the first."""
    dead: list[SessionError] = []

    def died(died: threading.ExceptHookArgs) -> None:
        if isinstance(died.exc_value, Exception):
            name = died.thread.name if died.thread is not None else "?"
            problem = SessionError(f"thread {name!r} of the testbed died: {said(died.exc_value)}")
            problem.__cause__ = died.exc_value
            dead.append(problem)
            end()

    before, threading.excepthook = threading.excepthook, died
    try:
        yield
    finally:
        threading.excepthook = before
    if dead:
        raise dead[0]
