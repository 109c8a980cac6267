"""A task of a simulated host: what it is to be resumed with, or the operation that it waits in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nodes.ops import Program, Task, Transaction

if TYPE_CHECKING:
    from nodes.engines.sim.host import Host
    from nodes.engines.sim.stream import Stream


class Fiber(Task):
    """`waits` counts the waits that ended, which tells an outdated timer; `operation` is set while it waits.

    `deferred` is an operation that was yielded while the host was stopping and is performed when it goes on.
    """

    __slots__ = (
        "cancelled",
        "commit",
        "connecting",
        "deferred",
        "host",
        "joiners",
        "operation",
        "random",
        "ready",
        "thrown",
        "value",
        "waits",
    )

    def __init__(
        self,
        program: Program,
        name: str,
        host: Host,
        ready: list[Fiber],
        commit: Callable[[Transaction], int],
        random: Callable[[], float],
    ) -> None:
        super().__init__(program, name)
        self.host = host
        self.ready = ready
        self.commit = commit
        self.random = random
        self.cancelled = False
        self.connecting: Stream | None = None
        self.deferred: Any = None
        self.joiners: list[Fiber] = []
        self.operation: Any = None
        self.thrown: BaseException | None = None
        self.value: Any = None
        self.waits = 0

    def wake(self, value: Any) -> None:
        """Its wait ended with `value`."""
        self.value = value
        self.operation = None
        self.waits += 1
        self.ready.append(self)

    def fail(self, error: BaseException) -> None:
        """Its wait ended with `error`."""
        self.thrown = error
        self.wake(None)

    def end(self, result: Any, error: BaseException | None) -> None:
        """It is over; whoever joined it learns that."""
        self.done = True
        self.result = result
        self.error = error
        for joiner in self.joiners:
            if error is None:
                joiner.wake(result)
            else:
                joiner.fail(error)
        self.joiners.clear()

    def describe(self) -> str:
        """Who waits for what, for the report of a deadlock."""
        return f"{self.host.name}/{self.name or 'task'} {_describe(self.deferred or self.operation)}{self.host.note}"


def _describe(operation: Any) -> str:
    """The operation and its socket or task; a task of a stopped host may have none."""
    if operation is None:
        return "can run"
    name = type(operation).__name__
    socket = getattr(operation, "socket", None)
    if socket is not None:
        return f"{name} at {socket.local}" + ("" if socket.peer is None else f" from {socket.peer}")
    task = getattr(operation, "task", None)
    return name if task is None else f"{name} of {task.name or 'task'}"
