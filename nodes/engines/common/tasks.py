"""What every event loop needs beside I/O: tasks, queues, timers, and the order in which tasks go on.

A completion-based driver shares this file with the readiness-based one.

Rules of this file:

1. A task that waits is in exactly one place: among a queue's waiters, among a task's joiners, on a socket, or
   with only its timer. `undo` takes it out again (for a deadline or a Cancel); it is set only when one of those
   can happen.
2. A woken task goes to the end of `ready`; nobody resumes another task from inside an operation.
3. A waiter is handed its item by the `Put`, so what one waiter was promised no later `Get` can take.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic_ns
from typing import Any

from nodes import ops
from nodes.engines.common.endings import drop
from nodes.engines.common.timers import Timer, Timers

Resume = Callable[[Any], Any]

PENDING = object()
"""What performing an operation returns when its task has to wait."""


class Running(ops.Task):
    """A task of this driver. `cancellable`: it is at a Get or Sleep. `cancelled`: it was told to end since."""

    __slots__ = ("cancellable", "cancelled", "joiners", "send", "throw", "timer", "undo")

    def __init__(self, program: ops.Program, name: str = "") -> None:
        super().__init__(program, name)
        self.send = program.send
        self.throw = program.throw
        self.joiners: list[Running] = []
        self.timer: Timer[Running] | None = None
        self.undo: Callable[[], Any] | None = None
        self.cancellable = False
        self.cancelled = False


class Finished(BaseException):
    """Unwinds the loop once the main program has ended."""


class Scheduler:
    """The tasks of one node and the operations on them that need no I/O."""

    def __init__(self, commit: Callable[[ops.Transaction], int], random: Callable[[], float]) -> None:
        self._tasks: dict[Running, None] = {}
        self._root: Running | None = None
        self._ready: deque[tuple[Running, Resume, Any]] = deque()
        self._timers: Timers[Running] = Timers()
        self._perform: dict[type, Callable[[Running, Any], Any]] = {
            ops.Sleep: self._sleep,
            ops.Spawn: lambda task, op: self._spawn(op.program, op.name),
            ops.Join: self._join,
            ops.Cancel: self._cancel,
            ops.Get: self._get,
            ops.Put: self._put,
            ops.Now: lambda task, op: monotonic_ns(),
            ops.Random: lambda task, op: random(),
            ops.Commit: lambda task, op: commit(op.transaction),
        }

    def _drop_tasks(self) -> None:
        for task in self._tasks:
            drop(task.program)
        self._tasks.clear()
        self._ready.clear()
        self._timers.clear()

    def _patience(self) -> int | None:
        """Nanoseconds until the next timer, or None."""
        earliest = self._timers.earliest()
        return None if earliest is None else max(0, earliest - monotonic_ns())

    def _fire_timers(self) -> None:
        for late in self._timers.expired(monotonic_ns()):
            self._expire(late)

    @staticmethod
    def _foreign(_task: Running, operation: Any) -> Any:
        raise TypeError(f"a program yielded {operation!r}, which is no operation")

    def _ended(self, task: Running, error: BaseException) -> None:
        task.done = True
        self._tasks.pop(task, None)
        if isinstance(error, StopIteration):
            task.result = error.value
        elif isinstance(error, (Exception, ops.Cancelled)):
            task.error = error
        else:  # KeyboardInterrupt and its like end the run, whoever they hit
            raise error
        if task is self._root:
            raise Finished
        for joiner in task.joiners:
            self._wake(joiner, *self._outcome(task, joiner))
        if isinstance(task.error, Exception) and not task.joiners:
            raise task.error

    def _wake(self, task: Running, resume: Resume, argument: Any) -> None:
        self._release(task)
        self._ready.append((task, resume, argument))

    def _release(self, task: Running) -> None:
        task.undo = None
        task.cancellable = False
        if task.timer is not None:
            self._timers.cancel(task.timer)
            task.timer = None

    def _arm(self, task: Running, deadline: int | None, undo: Callable[[], Any]) -> None:
        task.undo = undo
        if deadline is not None:
            task.timer = self._timers.arm(deadline, task)

    def _expire(self, task: Running) -> None:
        undo = task.undo
        if undo is None:  # a Sleep is over
            self._wake(task, task.send, None)
            return
        undo()
        self._wake(task, task.throw, TimeoutError("the operation's deadline has passed"))

    def _sleep(self, task: Running, operation: ops.Sleep) -> Any:
        self._heed_cancel(task)
        task.timer = self._timers.arm(operation.until, task)
        task.cancellable = True
        return PENDING

    def _spawn(self, program: ops.Program, name: str) -> Running:
        task = Running(program, name)
        self._tasks[task] = None
        self._ready.append((task, task.send, None))
        return task

    def _join(self, task: Running, operation: ops.Join) -> Any:
        joined: Any = operation.task
        if joined.done:
            resume, argument = self._outcome(joined, task)
            if resume == task.throw:
                raise argument
            return argument
        joined.joiners.append(task)
        self._arm(task, operation.deadline, partial(joined.joiners.remove, task))
        return PENDING

    def _outcome(self, joined: Running, joiner: Running) -> tuple[Resume, Any]:
        return (joiner.send, joined.result) if joined.error is None else (joiner.throw, joined.error)

    def _cancel(self, _task: Running, operation: ops.Cancel) -> None:
        target: Any = operation.task
        if not target.cancellable:
            target.cancelled = not target.done
            return
        if target.undo is not None:
            target.undo()
        self._wake(target, target.throw, ops.Cancelled())

    def _heed_cancel(self, task: Running) -> None:
        if task.cancelled:
            task.cancelled = False
            raise ops.Cancelled

    def _get(self, task: Running, operation: ops.Get) -> Any:
        self._heed_cancel(task)
        queue = operation.queue
        if queue.items:
            return queue.items.popleft()
        queue.waiters.append(task)
        task.cancellable = True
        self._arm(task, operation.deadline, partial(queue.waiters.remove, task))
        return PENDING

    def _put(self, _task: Running, operation: ops.Put) -> None:
        queue = operation.queue
        if queue.waiters:
            waiter: Running = queue.waiters.popleft()
            self._wake(waiter, waiter.send, operation.item)
        else:
            queue.items.append(operation.item)
