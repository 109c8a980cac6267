"""Several loops of one node, its workers: threads under one lock, each with a poller of its own.

Rules of this file:

1. The lock is held wherever a program runs or a task is touched; only the wait in the kernel is outside it. So between
   two yields a program runs alone in its node, as in a single loop.
2. A task and a socket belong to the loop that made them. Whoever makes a task of another loop ready puts it there, and
   rings that loop's bell if it waits. What a task wants of another loop's socket an errand does in that loop.
3. A listener is watched by each loop that accepts on it, and a connection belongs to the loop that accepted it. Whoever
   is told of one and accepts none passes the word on: it may be that nobody else was told (EPOLLEXCLUSIVE).
4. The first loop runs in the thread that called `run`, another begins when a program is spawned in it. They end with
   the first one, and an error that ends one of them ends the run.
5. What a task yields is looked at only where there are several loops: while there is one, every socket is its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast

from nodes import ops
from nodes.engines.common import sockets
from nodes.engines.common.endpoint import ReadinessEndpoint
from nodes.engines.common.loop import PENDING, Finished, Resume
from nodes.engines.common.poller import READABLE
from nodes.engines.common.readiness import Driver
from nodes.engines.common.tasks import Timed

MOST = 64
"""Workers of one node."""


class Lock:
    """One that is taken in turns: who gives it back and wants it again at once comes after those who wait for it."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._owned = threading.RLock()

    def take(self) -> None:
        with self._turn:
            self._owned.acquire()

    def give(self) -> None:
        """Raises RuntimeError where this thread does not have it: an interrupt may come while it is taken."""
        self._owned.release()


class Crew:
    """The loops of one run, by their numbers, and what they share."""

    def __init__(self, first: Worker) -> None:
        self.lock = Lock()
        self.loops = {0: first}
        self.over = False
        self.error: BaseException | None = None
        self._threads: list[threading.Thread] = []

    def loop(self, number: int, make: Callable[[Crew], Worker]) -> Worker:
        """The loop of that number, which begins now if nobody asked for it before. Raises Exhausted."""
        if number not in self.loops:
            loop = make(self)
            thread = threading.Thread(target=loop.work, name=f"worker {number}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                reason = f"the system has no thread for worker {number} (ulimit -u, or limits.processes): {error}"
                raise ops.Exhausted(reason) from None
            self._threads.append(thread)
            self.loops[number] = loop
            if len(self.loops) == 2:  # there is nothing in the second yet
                self.loops[0].keep_apart()
        return self.loops[number]

    @property
    def several(self) -> bool:
        return len(self.loops) > 1

    def owner(self, endpoint: Any) -> Worker | None:
        """Whose socket it is; nobody's once it is closed."""
        return next((loop for loop in self.loops.values() if loop.owns(endpoint)), None)

    def others(self, loop: Worker, fd: int) -> list[tuple[Worker, ReadinessEndpoint]]:
        """Who watches that descriptor too, and as what."""
        watching = ((other, other.watched(fd)) for other in self.loops.values() if other is not loop)
        return [(other, endpoint) for other, endpoint in watching if endpoint is not None]

    def fail(self, error: BaseException) -> None:
        """The first loop ends with the error."""
        if not self.over and self.error is None:
            self.error = error
            self.loops[0].ring()

    def dismiss(self) -> None:
        """End the others. An interrupt may have left this thread without the lock; it has it afterwards."""
        self.over = True
        with suppress(RuntimeError):
            self.lock.give()
        for loop in self.loops.values():
            loop.ring_in_any_case()
        for thread in self._threads:
            thread.join()
        self.lock.take()


class Member(Timed):
    """A task of one of several loops."""

    __slots__ = ("home",)

    def __init__(self, home: Worker, program: ops.Program, name: str) -> None:
        super().__init__(program, name)
        self.home = home

    def keep_apart(self) -> None:
        self.send = partial(self.home.next_operation, self.program.send)
        self.throw = partial(self.home.next_operation, self.program.throw)


class Errand:
    """An operation on a socket that belongs to another loop, or to none any more."""

    __slots__ = ("operation",)

    def __init__(self, operation: Any) -> None:
        self.operation = operation


class Worker(Driver):
    """One loop of a crew. `waiting`: it is in the kernel, or on its way there, and would not look before it is told."""

    def __init__(self, commit: Callable[[ops.Transaction], int], random: Callable[[], float]) -> None:
        super().__init__(commit, random)
        self._task = self._member
        self._given = commit, random
        self._perform |= {ops.Spawn: self._spawn_in, Errand: self._send_errand}
        self.waiting = False
        self._crew: Crew

    # --- a run ---

    def run(self, main: ops.Program) -> Any:
        self._crew = Crew(self)
        self._crew.lock.take()
        try:
            return super().run(main)
        finally:
            self._crew.lock.give()

    def _another(self, crew: Crew) -> Worker:
        loop = type(self)(*self._given)
        loop._crew = crew
        return loop

    def work(self) -> None:
        """The body of another loop's thread."""
        crew = self._crew
        crew.lock.take()
        try:
            if not crew.over:
                super().run(_for_ever())
        except BaseException as error:
            crew.fail(error)
        finally:
            crew.lock.give()

    def _waiter(self) -> Callable[[int | None], list[tuple[int, int]]]:
        wait, crew = self._poller.wait, self._crew

        def without_the_lock(timeout_ns: int | None) -> list[tuple[int, int]]:
            self.waiting = timeout_ns != 0
            self._heed_the_end()
            crew.lock.give()
            try:
                return wait(timeout_ns)
            finally:
                crew.lock.take()
                self.waiting = False
                self._heed_the_end()

        return without_the_lock

    def _heed_the_end(self) -> None:
        crew = self._crew
        if crew.over:
            raise Finished
        if crew.error is not None and self is crew.loops[0]:
            raise crew.error

    def _tear_down(self) -> None:
        if self is self._crew.loops[0]:
            self._crew.dismiss()
        super()._tear_down()

    # --- tasks of several loops ---

    def _member(self, program: ops.Program, name: str) -> Member:
        member = Member(self, program, name)
        if self._crew.several:
            member.keep_apart()
        return member

    def keep_apart(self) -> None:
        """From now on tasks may meet sockets that are not this loop's."""
        for task in self._tasks:
            cast(Member, task).keep_apart()
        ready = list(self._ready)
        self._ready.clear()
        for task, resume, argument in ready:
            self._give_way(task, resume, argument)

    def _give_way(self, task: Timed, resume: Resume, argument: Any) -> None:
        super()._give_way(task, _renewed(task, resume), argument)

    def ring(self) -> None:
        if self.waiting:
            self.waiting = False
            self.ring_in_any_case()

    def ring_in_any_case(self) -> None:
        bell = self._bell
        if bell is not None:
            with suppress(OSError):  # full: it rings already
                bell.send(b"!")

    def _wake(self, task: Any, resume: Resume, argument: Any) -> None:
        super(Worker, task.home)._wake(task, resume, argument)
        task.home.ring()

    def _spawn_in(self, _task: Timed, operation: ops.Spawn) -> Timed:
        number = operation.worker
        if number is None:
            return self._spawn(operation.program, operation.name)
        if not 0 <= number < MOST:
            raise ValueError(f"no worker {number}; there are {MOST}, from 0")
        loop = self._crew.loop(number, self._another)
        spawned = loop._spawn(operation.program, operation.name)
        loop.ring()
        return spawned

    # --- sockets of several loops ---

    def owns(self, endpoint: Any) -> bool:
        return self._endpoints.get(endpoint.fd) is endpoint

    def watched(self, fd: int) -> ReadinessEndpoint | None:
        return self._endpoints.get(fd)

    def next_operation(self, resume: Resume, argument: Any) -> Any:
        """What a task of this loop yields, as this loop can perform it."""
        operation = resume(argument)
        used = getattr(operation, "socket", None)
        return operation if used is None or self._endpoints.get(used.fd) is used else Errand(operation)

    def _send_errand(self, task: Timed, errand: Errand) -> Any:
        operation = errand.operation
        owner = self._crew.owner(operation.socket)
        if owner is None:
            if isinstance(operation, ops.Close):
                return None
            raise sockets.aborted()
        if isinstance(operation, ops.Accept):
            return self._await_readable(task, ops.Accept(self._view(operation.socket), operation.deadline), 0)
        owner._spawn(owner._errand(task, operation), "errand")
        owner.ring()
        return PENDING

    def _errand(self, task: Timed, operation: Any) -> ops.Program:
        try:
            value = yield operation
        except (Exception, ops.Cancelled) as error:
            self._wake(task, task.throw, error)
        else:
            self._wake(task, task.send, value)

    def _view(self, listener: Any) -> ReadinessEndpoint:
        """Another loop's listener, as this one watches it."""
        view = self._endpoints.get(listener.fd)
        if view is None:
            view = ReadinessEndpoint(listener.raw, lambda _size: self._accept(listener.raw), listener.local, None)
            self._endpoints[listener.fd] = view
        return view

    def _notice(self, endpoint: ReadinessEndpoint, mask: int) -> None:
        super()._notice(endpoint, mask)
        if not endpoint.interest:  # nobody waited for it here
            for other, view in self._crew.others(self, endpoint.fd):
                if view.reader is not None:
                    other._poller.modify(view.fd, READABLE)  # which tells it if there is still something
                    return

    def _discard(self, endpoint: ReadinessEndpoint) -> None:
        for other, view in self._crew.others(self, endpoint.fd):
            other._forget_view(view)
        super()._discard(endpoint)

    def _forget_view(self, view: ReadinessEndpoint) -> None:
        self._watch(view, 0)
        view.closed = True
        del self._endpoints[view.fd]
        if view.reader is not None:
            self._end_read(view, view.reader, view.reader.throw, sockets.aborted())


def _renewed(task: Any, resume: Resume) -> Resume:
    """What goes on as `resume` would have: the task may be kept apart since."""
    if resume == task.program.send:
        return cast(Resume, task.send)
    return cast(Resume, task.throw) if resume == task.program.throw else resume


def _for_ever() -> ops.Program:
    yield ops.Get(ops.Queue())
