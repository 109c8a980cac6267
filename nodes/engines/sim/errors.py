"""What can happen to a simulated host or world that cannot happen to a program on a real engine."""

from __future__ import annotations

import errno


class Crash(BaseException):
    """Raised inside a program or a commit: the task's host dies there, as by SIGKILL."""


class Killed(Exception):
    """Thrown into a program that joins a task of another host when that host dies."""


class Deadlock(Exception):
    """Nothing can ever happen again and the main program has not ended. `waiting` says who waits for what."""

    def __init__(self, waiting: list[str]) -> None:
        super().__init__("nothing can ever happen again; waiting: " + ("; ".join(waiting) or "nobody"))
        self.waiting = waiting


def aborted() -> ConnectionAbortedError:
    """What an operation on a closed socket ends with."""
    return ConnectionAbortedError(errno.ECONNABORTED, "the socket was closed by another program")
