"""Blocking threads: one thread per task, blocking sockets, one lock.

Rules of this file:

1. The lock is held while program code runs and released around system calls and waits, so between two
   yields a program runs alone in its node, as on a loop.
2. Deadlines are SO_RCVTIMEO and SO_SNDTIMEO (socket(7)). Python's settimeout() would make the descriptor
   non-blocking and poll, which is another I/O model.
3. close() leaves another thread's recv or accept stuck, shutdown() wakes it. So Close shuts down, waits until
   nobody is inside a system call on the descriptor (its number must not be reused under them), then closes.
4. What waits for room at another's Unix socket, a SendTo or a Connect, is not woken by that (unix(7)). Such a call
   is never long inside the kernel: it is made again until it succeeds, its deadline passes, or there is no reason to.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from time import monotonic_ns, sleep
from typing import Any, TypeVar

from nodes import ops
from nodes.engines.common import sockets
from nodes.engines.common.blocking import NEVER, BlockingEndpoint, timed_out
from nodes.engines.common.endings import drop
from nodes.engines.common.loop import PENDING, Loop, Resume, Running

Result = TypeVar("Result")

_NUDGE_SECONDS = 0.05
_NOT_LONG = 50_000  # microseconds
_BRIEFLY = 1e-6  # seconds
_TURN = 1024  # operations of one task before the others have theirs, if none of these made it wait


def availability() -> str | None:
    if sys.platform == "win32":
        return "SO_RCVTIMEO takes no struct timeval on Windows"
    return None


class Threaded(Running):
    """A task and what its thread waits with. `given` is what a waker left for it to go on with."""

    __slots__ = ("deadline", "given", "wakeup")

    def __init__(self, program: ops.Program, name: str, lock: threading.Lock) -> None:
        super().__init__(program, name)
        self.wakeup = threading.Condition(lock)
        self.deadline: int | None = None
        self.given: tuple[Resume, Any] | None = None


class _Over(BaseException):
    """The run has ended; whoever was waiting goes home."""


class Engine(Loop[Threaded]):
    """Performs each task's operations in the task's own thread."""

    def __init__(self, commit: Callable[[ops.Transaction], int], random: Callable[[], float]) -> None:
        super().__init__(lambda program, name: Threaded(program, name, self._lock), commit, random)
        self._lock = threading.Lock()
        self._ended_by: BaseException | None = None
        self._end_came = threading.Condition(self._lock)
        self._over = False
        self._threads: dict[Threaded, threading.Thread] = {}
        self._ending: list[threading.Thread] = []
        self._endpoints: dict[int, BlockingEndpoint]
        self._perform |= {
            ops.Listen: lambda task, op: self._bound(sockets.listener(op.address, op.backlog, op.bounded)),
            ops.Bind: lambda task, op: self._bound(sockets.datagram(op.address)),
            ops.Accept: self._accept,
            ops.Connect: self._connect,
            ops.Recv: self._recv,
            ops.RecvFrom: self._recv_from,
            ops.Send: self._send,
            ops.SendTo: self._send_to,
        }

    # --- a run ---

    def run(self, main: ops.Program) -> Any:
        self._over, self._ended_by = False, None
        return super().run(main)

    def _loop(self) -> None:
        with self._lock:
            while self._ended_by is None:
                self._end_came.wait()
        raise self._ended_by

    def _end_tasks(self) -> None:
        with self._lock:
            self._over = True
            threads = [*self._threads.values(), *self._ending]
            for task in self._threads:
                task.wakeup.notify()
        for thread in threads:
            while thread.is_alive():
                self._shut_all()  # again and again: a thread may have been just before its system call
                thread.join(_NUDGE_SECONDS)
        self._threads.clear()
        self._ending.clear()

    def _shut_all(self) -> None:
        with self._lock:
            for endpoint in self._endpoints.values():
                endpoint.shut()

    def _start(self, task: Threaded) -> None:
        self._ending = [thread for thread in self._ending if thread.is_alive()]
        thread = threading.Thread(target=self._drive, args=(task,), name=task.name or None, daemon=True)
        self._threads[task] = thread
        try:
            thread.start()
        except RuntimeError as error:
            del self._threads[task], self._tasks[task]
            reason = f"the system has no thread for {task.name or 'a task'} (ulimit -u, or limits.processes): {error}"
            raise ops.Exhausted(reason) from None

    def _drive(self, task: Threaded) -> None:
        """The body of the task's thread."""
        with self._lock:
            try:
                self._go_on(task)
            except _Over:
                pass
            except BaseException as error:
                self._over, self._ended_by = True, error
                self._end_came.notify()
            drop(task.program)
            self._ending.append(self._threads.pop(task))

    def _go_on(self, task: Threaded) -> None:
        """Until the program ends, which may end the run. Raises _Over when the run ended before."""
        resume: Resume = task.send
        argument: Any = None
        left = _TURN
        while True:
            if self._over:
                raise _Over
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
                resume, argument = self._wait(task)
                left = _TURN
                continue
            left -= 1
            if not left:
                left = _TURN
                self._let_others_on()

    def _let_others_on(self) -> None:
        """Who gives the lock back and takes it again at once has it before those who wait for it are awake."""
        self._lock.release()
        try:
            sleep(_BRIEFLY)
        finally:
            self._lock.acquire()

    # --- waiting and waking, all under the lock ---

    def _wait(self, task: Threaded) -> tuple[Resume, Any]:
        """Until a waker gives something, or the deadline does."""
        while (given := task.given) is None:
            if self._over:
                raise _Over
            task.wakeup.wait(_patience(task.deadline))
            if task.given is None and task.deadline is not None and monotonic_ns() >= task.deadline:
                self._expire(task)
        task.given = None
        return given

    def _wake(self, task: Threaded, resume: Resume, argument: Any) -> None:
        self._release(task)
        task.given = resume, argument
        task.wakeup.notify()

    def _arm(self, task: Threaded, deadline: int | None, undo: Callable[[], Any] | None) -> None:
        task.deadline, task.undo = deadline, undo

    def _receiving(self, operation: Any, call: Callable[..., Result], *arguments: Any) -> Result:
        return self._limited(operation.socket, socket.SO_RCVTIMEO, operation.deadline, call, *arguments)

    def _limited(
        self,
        endpoint: BlockingEndpoint,
        option: int,
        deadline: int | None,
        call: Callable[..., Result],
        *arguments: Any,
    ) -> Result:
        """The only one of its kind on this socket."""
        if option in endpoint.outstanding:
            raise RuntimeError("two receives or two sends are outstanding on one socket")
        endpoint.outstanding.add(option)
        try:
            return self._patiently(endpoint, option, deadline, NEVER, call, *arguments)
        finally:
            endpoint.outstanding.discard(option)

    def _briefly(
        self, endpoint: BlockingEndpoint, deadline: int | None, call: Callable[..., Result], *arguments: Any
    ) -> Result:
        """Others on the same socket may set another time meanwhile, which is not long either."""
        return self._patiently(endpoint, socket.SO_SNDTIMEO, deadline, _NOT_LONG, call, *arguments)

    def _patiently(
        self,
        endpoint: BlockingEndpoint,
        option: int,
        deadline: int | None,
        longest: int,
        call: Callable[..., Result],
        *arguments: Any,
    ) -> Result:
        """A system call that may block, with the lock released: again until it is done, or late. The kernel counts in
        its own ticks and may give up a little early."""
        while True:
            if endpoint.closed:
                raise sockets.aborted()
            endpoint.limit(option, deadline, longest)
            endpoint.busy += 1
            self._lock.release()
            try:
                return call(*arguments)
            except BlockingIOError:  # EAGAIN, or EINPROGRESS from connect: the time is over
                if deadline is not None and monotonic_ns() >= deadline:
                    raise timed_out() from None
            finally:
                self._lock.acquire()
                endpoint.busy -= 1
                if endpoint.closed:
                    endpoint.idle.notify()
                    raise sockets.aborted()
                if self._over:
                    raise _Over

    # --- operations on sockets ---

    def _adopt(self, raw: socket.socket, local: ops.Address, peer: ops.Address | None) -> BlockingEndpoint:
        endpoint = self._endpoints[raw.fileno()] = BlockingEndpoint(raw, self._lock, local, peer)
        return endpoint

    def _bound(self, raw: socket.socket) -> BlockingEndpoint:
        return self._adopt(raw, sockets.local_of(raw), None)

    def _accept(self, _task: Threaded, operation: ops.Accept) -> BlockingEndpoint:
        endpoint: Any = operation.socket
        accepted: list[tuple[socket.socket, ops.Address]] = []
        try:
            self._receiving(operation, lambda: accepted.append(sockets.accepted(endpoint.raw)))
        except BaseException:  # accepted, but the listener was closed or the run ended meanwhile
            for raw, _ in accepted:
                raw.close()
            raise
        raw, peer = accepted[0]
        return self._adopt(raw, sockets.local_of(raw), peer)

    def _connect(self, _task: Threaded, operation: ops.Connect) -> BlockingEndpoint:
        raw, address = sockets.connecting(operation.address, operation.bounded), sockets.plain(operation.address)
        endpoint = self._bound(raw)
        try:
            if raw.family in sockets.INTERNET:
                self._limited(endpoint, socket.SO_SNDTIMEO, operation.deadline, raw.connect, address)
            else:
                self._briefly(endpoint, operation.deadline, raw.connect, address)
            endpoint.local, endpoint.peer = sockets.local_of(raw), sockets.peer_of(raw)
            sockets.refuse_self(endpoint.local, endpoint.peer)
        except BaseException:
            self._discard(endpoint)
            raise
        return endpoint

    def _discard(self, endpoint: BlockingEndpoint) -> None:
        endpoint.closed = True
        self._endpoints.pop(endpoint.fd, None)
        if endpoint.busy:
            endpoint.shut()
        while endpoint.busy:
            endpoint.idle.wait()
        endpoint.raw.close()

    def _recv(self, _task: Threaded, operation: ops.Recv) -> bytes:
        endpoint: Any = operation.socket
        data: bytes = self._receiving(operation, endpoint.raw.recv, operation.size)
        return data

    def _recv_from(self, _task: Threaded, operation: ops.RecvFrom) -> tuple[bytes, ops.Address]:
        endpoint: Any = operation.socket
        data, address = self._receiving(operation, endpoint.raw.recvfrom, operation.size)
        return data, sockets.reader(endpoint.raw)(address)

    def _send(self, _task: Threaded, operation: ops.Send) -> None:
        endpoint: Any = operation.socket
        data, deadline, send = operation.data, operation.deadline, endpoint.raw.send
        sent = self._limited(endpoint, socket.SO_SNDTIMEO, deadline, send, data)
        if sent == len(data):
            return
        rest = sockets.rest(data, sent)
        while rest:
            rest = rest[self._limited(endpoint, socket.SO_SNDTIMEO, deadline, send, rest) :]

    def _send_to(self, _task: Threaded, operation: ops.SendTo) -> None:
        endpoint: Any = operation.socket
        arguments = operation.data, sockets.plain(operation.address)
        self._briefly(endpoint, operation.deadline, endpoint.raw.sendto, *arguments)


def _patience(deadline: int | None) -> float | None:
    """Seconds until the deadline; never none at all, so that whoever waits keeps the lock from nobody."""
    if deadline is None:
        return None
    return min(max(_BRIEFLY, (deadline - monotonic_ns()) / 1e9), threading.TIMEOUT_MAX)
