"""How the tasks of an event loop take turns and wait for time; readiness and completion drivers share it.

A woken task goes to the end of `ready`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic_ns
from typing import Any, ClassVar

from nodes import ops
from nodes.engines.common import sockets
from nodes.engines.common.endings import drop
from nodes.engines.common.loop import PENDING, Loop, Resume, Running
from nodes.engines.common.timers import Timer, Timers

MOMENT = 1_000_000
"""Nanoseconds until what no event announces is tried again, and then twice as long each time, ..."""
LONGEST = 16 * MOMENT
"""... but no longer than that."""


class Timed(Running):
    """A task of an event loop, and what its wait's deadline is armed with."""

    __slots__ = ("timer",)

    def __init__(self, program: ops.Program, name: str) -> None:
        super().__init__(program, name)
        self.timer: Timer[Timed] | None = None


class Scheduler(Loop[Timed]):
    """The tasks of one node, all in one thread."""

    budget: ClassVar[int] = 64
    """Operations of one task that are performed in one go, before the others have their turn."""

    def __init__(self, commit: Callable[[ops.Transaction], int], random: Callable[[], float]) -> None:
        super().__init__(Timed, commit, random)
        self._ready: deque[tuple[Timed, Resume, Any]] = deque()
        self._timers: Timers[Timed] = Timers()

    def _start(self, task: Timed) -> None:
        self._ready.append((task, task.send, None))

    def _step(self, task: Timed, resume: Resume, argument: Any) -> None:
        """Resume the task and perform what it yields until something has to wait."""
        budget = self.budget
        while budget:
            budget -= 1
            try:
                operation = resume(argument)
            except BaseException as error:
                self._ended(task, error)
                return
            resume = task.send
            try:
                argument = self._perform.get(operation.__class__, self._foreign)(task, operation)
            except (Exception, ops.Cancelled) as error:
                resume, argument = task.throw, error
            if argument is PENDING:
                return
        self._give_way(task, resume, argument)

    def _send_rest(self, task: Timed, operation: ops.Send, sent: int | None) -> None:
        """What the loop's own send left; nothing, where the length of what was sent does not count bytes."""
        rest = sockets.rest(operation.data, sent)
        if sent and not rest:
            self._step(task, task.send, None)
        else:
            self._step(task, yielded, ops.Send(operation.socket, rest, operation.deadline))

    def _give_way(self, task: Timed, resume: Resume, argument: Any) -> None:
        self._ready.append((task, resume, argument))

    def _wake(self, task: Timed, resume: Resume, argument: Any) -> None:
        self._release(task)
        self._ready.append((task, resume, argument))

    def _release(self, task: Timed) -> None:
        task.undo = None
        task.cancellable = False
        if task.timer is not None:
            self._timers.cancel(task.timer)
            task.timer = None

    def _arm(self, task: Timed, deadline: int | None, undo: Callable[[], Any] | None) -> None:
        task.undo = undo
        if deadline is not None:
            task.timer = self._timers.arm(deadline, task)

    def _end_tasks(self) -> None:
        for task in self._tasks:
            drop(task.program)
        self._ready.clear()
        self._timers.clear()

    def _patience(self) -> int | None:
        """Nanoseconds until the next timer, or None."""
        earliest = self._timers.earliest()
        return None if earliest is None else max(0, earliest - monotonic_ns())

    def _fire_timers(self) -> None:
        for late in self._timers.expired(monotonic_ns()):
            self._expire(late)

    # --- what no event announces: room at the other end of a Unix socket, or for each of several datagrams ---

    def _again(self, task: Timed, attempt: Callable[[], Any], deadline: int | None, patience: int = MOMENT) -> Any:
        """Try it in a moment, and again until it succeeds or the deadline passes: then for the last time."""

        def retry() -> Any:
            try:
                self._wake(task, task.send, attempt())
            except BlockingIOError:
                late = deadline is not None and monotonic_ns() >= deadline
                return None if late else self._again(task, attempt, deadline, min(2 * patience, LONGEST))
            except OSError as error:
                self._wake(task, task.throw, error)
            return PENDING

        when = monotonic_ns() + patience
        self._arm(task, when if deadline is None else min(when, deadline), retry)
        return PENDING


def yielded(operation: Any) -> Any:
    """Resumes a task whose operation is here already: what a loop did not perform by itself."""
    return operation
