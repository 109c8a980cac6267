"""What every engine on real sockets does: a run from its first program to its end, and the operations without I/O.

Rules of this file:

1. A task that waits is in exactly one place: among a queue's waiters, among a task's joiners, on a socket, or
   with only its alarm. `undo` takes it out again (for a deadline or a Cancel); it is set only when one of those
   can happen.
2. A waiter is handed its item by the `Put`, so what one waiter was promised no later `Get` can take.
3. Nothing here waits: an operation that has to returns PENDING, and whoever performs it knows how its tasks wait.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection
from functools import partial
from time import monotonic_ns
from typing import Any, ClassVar, Generic, TypeVar, cast

from nodes import ops
from nodes.engines.common import sockets
from nodes.engines.common.endpoint import Endpoint
from nodes.engines.common.offer import Offer
from nodes.wire.addresses import UnixPath
from nodes.wire.transports import NO_LINGER

Resume = Callable[[Any], Any]

PENDING = object()
"""What performing an operation returns when its task has to wait."""


class Running(ops.Task):
    """A task of an engine. `cancellable`: it is at a Get or Sleep. `cancelled`: it was told to end since."""

    __slots__ = ("cancellable", "cancelled", "joiners", "send", "throw", "undo")

    def __init__(self, program: ops.Program, name: str) -> None:
        super().__init__(program, name)
        self.send = program.send
        self.throw = program.throw
        self.joiners: list[Any] = []
        self.undo: Callable[[], Any] | None = None
        self.cancellable = False
        self.cancelled = False


class Finished(BaseException):
    """Ends `_loop` once the main program has ended."""


T = TypeVar("T", bound=Running)


class Loop(ABC, Generic[T]):
    """The tasks, queues and sockets of one node; `task(program, name)` makes a task of the engine's kind."""

    offer: ClassVar = Offer()

    def __init__(
        self,
        task: Callable[[ops.Program, str], T],
        commit: Callable[[ops.Transaction], int],
        random: Callable[[], float],
    ) -> None:
        self.children: Collection[int] = ()
        self._task = task
        self._tasks: dict[T, None] = {}
        self._root: T | None = None
        self._endpoints: dict[int, Any] = {}
        self._posted: deque[tuple[ops.Queue, Any]] = deque()
        self._bell: socket.socket | None = None
        self._perform: dict[type, Callable[[T, Any], Any]] = {
            ops.Shutdown: self._shutdown,
            ops.HasEnded: lambda task, op: sockets.has_ended(self._open(op.socket).raw),
            ops.Close: self._close,
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

    # --- what an engine brings ---

    @abstractmethod
    def _loop(self) -> None:
        """Perform what programs yield until one ends the run: raises what `_ended` raised."""

    @abstractmethod
    def _start(self, task: T) -> None:
        """Resume a new task for the first time, soon."""

    @abstractmethod
    def _wake(self, task: T, resume: Resume, argument: Any) -> None:
        """Its wait is over: `_release` it, and resume it soon, never from inside another task's operation."""

    @abstractmethod
    def _arm(self, task: T, deadline: int | None, undo: Callable[[], Any] | None) -> None:
        """The task waits from now on: remember `undo`, and `_expire` it at the deadline."""

    @abstractmethod
    def _adopt(self, raw: socket.socket, local: ops.Address, peer: ops.Address | None) -> Endpoint:
        """A connected stream socket becomes one of this node's."""

    @abstractmethod
    def _discard(self, endpoint: Any) -> None:
        """Close the descriptor and forget it."""

    @abstractmethod
    def _end_tasks(self) -> None:
        """No program goes on: drop those that wait, and whatever would resume them."""

    # --- a run ---

    def run(self, main: ops.Program) -> Any:
        """Run `main` and what it spawns until `main` ends; close every socket; return its result or raise."""
        root = self._root = self._task(main, "main")
        try:
            self._hang_bell()
            self._begin(root)
            self._loop()
        except Finished:
            pass
        finally:
            self._tear_down()
        if root.error is not None:
            raise root.error
        return root.result

    def post(self, queue: ops.Queue, item: Any) -> None:
        """Put `item` from outside of all programs: another thread, or a signal handler."""
        self._posted.append((queue, item))
        bell = self._bell
        if bell is not None:
            try:
                bell.send(b"!")
            except OSError:  # full: it rings already; closed: the run is over
                pass

    def _hang_bell(self) -> None:
        self._bell, heard = socket.socketpair()
        self._bell.setblocking(False)
        self._spawn(self._listen_to_bell(self._adopt(heard, UnixPath(""), None)), "bell")

    def _listen_to_bell(self, heard: Endpoint) -> ops.Program:
        while True:
            while self._posted:
                queue, item = self._posted.popleft()
                yield ops.Put(queue, item)
            yield ops.Recv(heard, 4096)

    def _tear_down(self) -> None:
        self._end_tasks()
        self._tasks.clear()
        for endpoint in self._endpoints.values():
            endpoint.closed = True
            endpoint.raw.close()
        self._endpoints.clear()
        if self._bell is not None:
            self._bell.close()
            self._bell = None
        self._posted.clear()

    # --- tasks ---

    def _spawn(self, program: ops.Program, name: str) -> T:
        task = self._task(program, name)
        self._begin(task)
        return task

    def _begin(self, task: T) -> None:
        self._tasks[task] = None
        self._start(task)

    def _ended(self, task: T, error: BaseException) -> None:
        """Its program ended with `error`. Raises what ends the run."""
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

    @staticmethod
    def _outcome(joined: T, joiner: T) -> tuple[Resume, Any]:
        return (joiner.send, joined.result) if joined.error is None else (joiner.throw, joined.error)

    def _release(self, task: T) -> None:
        task.undo = None
        task.cancellable = False

    def _expire(self, task: T) -> None:
        undo = task.undo
        if undo is None:  # a Sleep is over
            self._wake(task, task.send, None)
            return
        if undo() is not PENDING:  # else its wait is about to end by itself
            self._wake(task, task.throw, TimeoutError("the operation's deadline has passed"))

    # --- operations ---

    @staticmethod
    def _foreign(_task: T, operation: Any) -> Any:
        raise TypeError(f"a program yielded {operation!r}, which is no operation")

    def _sleep(self, task: T, operation: ops.Sleep) -> Any:
        self._heed_cancel(task)
        task.cancellable = True
        self._arm(task, operation.until, None)
        return PENDING

    def _join(self, task: T, operation: ops.Join) -> Any:
        joined: Any = operation.task
        if joined.done:
            if joined.error is not None:
                raise joined.error
            return joined.result
        joined.joiners.append(task)
        self._arm(task, operation.deadline, partial(joined.joiners.remove, task))
        return PENDING

    def _cancel(self, _task: T, operation: ops.Cancel) -> None:
        target: Any = operation.task
        if not target.cancellable:
            target.cancelled = True
            return
        if target.undo is not None:
            target.undo()
        self._wake(target, target.throw, ops.Cancelled())

    def _heed_cancel(self, task: T) -> None:
        if task.cancelled:
            task.cancelled = False
            raise ops.Cancelled

    def _get(self, task: T, operation: ops.Get) -> Any:
        self._heed_cancel(task)
        queue = operation.queue
        if queue.items:
            return queue.items.popleft()
        queue.waiters.append(task)
        task.cancellable = True
        self._arm(task, operation.deadline, partial(queue.waiters.remove, task))
        return PENDING

    def _put(self, _task: T, operation: ops.Put) -> None:
        queue = operation.queue
        if queue.waiters:
            waiter: T = queue.waiters.popleft()
            self._wake(waiter, waiter.send, operation.item)
        else:
            queue.items.append(operation.item)

    def _close(self, _task: T, operation: ops.Close) -> None:
        endpoint: Any = operation.socket
        if endpoint.closed:
            return
        if operation.reset:
            endpoint.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self._discard(endpoint)

    def _shutdown(self, _task: T, operation: ops.Shutdown) -> None:
        self._open(operation.socket).raw.shutdown(socket.SHUT_WR)

    @staticmethod
    def _open(endpoint: Any) -> Endpoint:
        if endpoint.closed:
            raise sockets.aborted()
        return cast(Endpoint, endpoint)
