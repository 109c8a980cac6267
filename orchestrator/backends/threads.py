"""Starting threads where the system may have no more of them: an error like any other, that says what to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from orchestrator.run.session import SessionError


class NoThread(SessionError):
    """The system has no thread for something; the text says for what, and the remedy."""


def start(target: Callable[..., object], name: str, *arguments: Any) -> threading.Thread:
    """A daemon thread that runs already. Raises NoThread. `target` sees to its own errors: nobody else would."""
    thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
    with translated(name):
        thread.start()
    return thread


def workers(size: int, name: str) -> ThreadPoolExecutor:
    """One all of whose threads run already: whatever is submitted later, none has to be started. Raises NoThread."""
    made = ThreadPoolExecutor(size, name)
    together = threading.Barrier(size)
    try:
        with translated(name):
            for _ in range(size):
                made.submit(together.wait)
    except BaseException:
        together.abort()
        made.shutdown(cancel_futures=True)
        raise
    return made


@contextmanager
def translated(what: str) -> Iterator[None]:
    """What the standard library raises where a thread cannot be started becomes NoThread."""
    try:
        yield
    except RuntimeError as error:
        if "can't start new thread" not in str(error):
            raise
        remedy = "end other processes of this user, or allow more (ulimit -u) or more memory (ulimit -v)"
        raise NoThread(f"the system has no thread for {what}: {remedy}") from None
