"""Blocking threads: one thread per task, blocking sockets, one lock.

Rules of this file:

1. The lock is held while program code runs and released around system calls and waits, so between two
   yields a program runs alone in its node, as on a loop.
2. Deadlines are SO_RCVTIMEO and SO_SNDTIMEO (socket(7)). Python's settimeout() would make the descriptor
   non-blocking and poll, which is another I/O model.
3. close() leaves another thread's recv or accept stuck, shutdown() wakes it. So Close shuts down, waits until
   nobody is inside a system call on the descriptor (its number must not be reused under them), then closes.
4. A `Put` hands its item to the longest waiting `Get` under the lock.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from time import monotonic_ns
from typing import Any, TypeVar

from nodes import ops
from nodes.engines.common import sockets
from nodes.engines.common.blocking import Endpoint, timed_out
from nodes.engines.common.endings import drop

Result = TypeVar("Result")

_NUDGE_SECONDS = 0.05


def availability() -> str | None:
    if sys.platform == "win32":
        return "SO_RCVTIMEO takes no struct timeval on Windows"
    return None


class Threaded(ops.Task):
    """A task and what it waits with. `given` is the (result, error) that a waker left for it.

    `cancellable`: it is at a Sleep, or at a Get on `queue`. `cancelled`: it was told to end since.
    """

    __slots__ = ("cancellable", "cancelled", "given", "joiners", "queue", "wakeup")

    def __init__(self, program: ops.Program, name: str, lock: threading.Lock) -> None:
        super().__init__(program, name)
        self.wakeup = threading.Condition(lock)
        self.given: tuple[Any, BaseException | None] | None = None
        self.joiners: list[Threaded] = []
        self.queue: ops.Queue | None = None
        self.cancellable = False
        self.cancelled = False


class _Over(BaseException):
    """The run has ended; whoever was waiting goes home."""


class Engine:
    """Performs each task's operations in the task's own thread."""

    def __init__(self, commit: Callable[[ops.Transaction], int], random: Callable[[], float]) -> None:
        self._lock = threading.Lock()
        self._finished = threading.Condition(self._lock)
        self._over = False
        self._failure: BaseException | None = None
        self._endpoints: dict[Endpoint, None] = {}
        self._tasks: dict[Threaded, threading.Thread] = {}
        self._ending: list[threading.Thread] = []
        self._perform: dict[type, Callable[[Threaded, Any], Any]] = {
            ops.Recv: self._recv,
            ops.Send: self._send,
            ops.Get: self._get,
            ops.Put: self._put,
            ops.RecvFrom: self._recv_from,
            ops.SendTo: self._send_to,
            ops.Listen: lambda task, op: self._adopt(sockets.listener(op.address, op.backlog), None),
            ops.Bind: lambda task, op: self._adopt(sockets.datagram(op.address), None),
            ops.Accept: self._accept,
            ops.Connect: self._connect,
            ops.Shutdown: self._shutdown,
            ops.Close: self._close,
            ops.Sleep: self._sleep,
            ops.Spawn: lambda task, op: self._spawn(op.program, op.name),
            ops.Join: self._join,
            ops.Cancel: self._cancel,
            ops.Now: lambda task, op: monotonic_ns(),
            ops.Random: lambda task, op: random(),
            ops.Commit: lambda task, op: commit(op.transaction),
        }

    # --- a run ---

    def run(self, main: ops.Program) -> Any:
        """Run `main` and what it spawns until `main` ends; close every socket; return its result or raise."""
        root: Threaded | None = None
        try:
            with self._lock:
                self._over, self._failure = False, None
                root = self._spawn(main, "main")
                while not root.done and self._failure is None:
                    self._finished.wait()
        finally:
            self._tear_down()
        error = self._failure or root.error
        if error is not None:
            raise error
        return root.result

    def post(self, queue: ops.Queue, item: Any) -> None:
        """Put `item` from outside of all programs: another thread. (A signal handler could hold the lock.)"""
        with self._lock:
            self._hand_over(queue, item)

    def _tear_down(self) -> None:
        with self._lock:
            self._over = True
            threads = [*self._tasks.values(), *self._ending]
            for task in self._tasks:
                task.wakeup.notify()
        for thread in threads:
            while thread.is_alive():
                self._shut_all()  # again and again: a thread may have been just before its system call
                thread.join(_NUDGE_SECONDS)
        for endpoint in self._endpoints:
            endpoint.closed = True
            endpoint.raw.close()
        self._endpoints.clear()
        self._tasks.clear()
        self._ending.clear()

    def _shut_all(self) -> None:
        with self._lock:
            for endpoint in self._endpoints:
                endpoint.shut()

    def _drive(self, task: Threaded) -> None:
        """The body of the task's thread."""
        with self._lock:
            resume: Callable[[Any], Any] = task.program.send
            argument: Any = None
            while not self._over:
                try:
                    operation = resume(argument)
                except BaseException as error:
                    self._ended(task, error)
                    break
                resume = task.program.send
                try:
                    argument = self._perform.get(operation.__class__, _foreign)(task, operation)
                except _Over:
                    break
                except (Exception, ops.Cancelled) as error:
                    resume, argument = task.program.throw, error
            if not task.done:
                drop(task.program)
            self._ending.append(self._tasks.pop(task))

    def _ended(self, task: Threaded, error: BaseException) -> None:
        task.done = True
        if isinstance(error, StopIteration):
            task.result = error.value
        else:
            task.error = error
        for joiner in task.joiners:
            self._wake(joiner, task.result, task.error)
        stray = isinstance(task.error, Exception) and not task.joiners
        alien = not isinstance(error, (Exception, ops.Cancelled))  # KeyboardInterrupt and its like
        if (stray or alien) and self._failure is None:
            self._failure = error
        self._finished.notify()

    # --- waiting and waking, all under the lock ---

    def _wait(self, task: Threaded, deadline: int | None) -> Any:
        """Until a waker gives something; raises TimeoutError at the deadline."""
        while task.given is None:
            if self._over:
                raise _Over
            if deadline is None:
                task.wakeup.wait()
                continue
            remaining = deadline - monotonic_ns()
            if remaining <= 0:
                raise timed_out()
            task.wakeup.wait(min(remaining / 1e9, threading.TIMEOUT_MAX))
        (result, error), task.given = task.given, None
        if error is not None:
            raise error
        return result

    def _wake(self, task: Threaded, result: Any, error: BaseException | None) -> None:
        task.given = (result, error)
        task.cancellable = False
        task.queue = None
        task.wakeup.notify()

    def _call(
        self, endpoint: Endpoint, option: int, deadline: int | None, call: Callable[..., Result], *arguments: Any
    ) -> Result:
        """A system call that may block, with the lock released."""
        if endpoint.closed:
            raise sockets.aborted()
        endpoint.limit(option, deadline)
        endpoint.busy += 1
        self._lock.release()
        try:
            return call(*arguments)
        finally:
            self._lock.acquire()
            endpoint.busy -= 1
            if endpoint.closed:
                endpoint.idle.notify()
                raise sockets.aborted()
            if self._over:
                raise _Over

    def _receiving(self, operation: Any, call: Callable[..., Result], *arguments: Any) -> Result:
        return self._limited(operation.socket, socket.SO_RCVTIMEO, operation.deadline, call, *arguments)

    def _limited(
        self, endpoint: Endpoint, option: int, deadline: int | None, call: Callable[..., Result], *arguments: Any
    ) -> Result:
        """A blocking call with a deadline. The kernel counts in its own ticks and may give up a little early."""
        if option in endpoint.outstanding:
            raise RuntimeError("two receives or two sends are outstanding on one socket")
        endpoint.outstanding.add(option)
        try:
            while True:
                try:
                    return self._call(endpoint, option, deadline, call, *arguments)
                except BlockingIOError:  # EAGAIN, or EINPROGRESS from connect: the time is over
                    if deadline is not None and monotonic_ns() >= deadline:
                        raise timed_out() from None
        finally:
            endpoint.outstanding.discard(option)

    def _heed_cancel(self, task: Threaded) -> None:
        if task.cancelled:
            task.cancelled = False
            raise ops.Cancelled

    # --- operations on sockets ---

    def _adopt(self, raw: socket.socket, peer: ops.Address | None) -> Endpoint:
        endpoint = Endpoint(raw, self._lock, peer)
        self._endpoints[endpoint] = None
        return endpoint

    def _accept(self, _task: Threaded, operation: ops.Accept) -> Endpoint:
        endpoint: Any = operation.socket
        accepted: list[tuple[socket.socket, Any]] = []
        try:
            self._receiving(operation, lambda: accepted.append(endpoint.raw.accept()))
        except BaseException:  # accepted, but the listener was closed or the run ended meanwhile
            for raw, _ in accepted:
                raw.close()
            raise
        raw, address = accepted[0]
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._adopt(raw, address[:2])

    def _connect(self, _task: Threaded, operation: ops.Connect) -> Endpoint:
        raw = sockets.stream(operation.address)
        endpoint = self._adopt(raw, None)
        try:
            self._limited(endpoint, socket.SO_SNDTIMEO, operation.deadline, raw.connect, operation.address)
            endpoint.local, endpoint.peer = sockets.local_of(raw), sockets.peer_of(raw)
            sockets.refuse_self(endpoint.local, endpoint.peer)
        except BaseException:
            self._discard(endpoint)
            raise
        return endpoint

    def _discard(self, endpoint: Endpoint) -> None:
        endpoint.closed = True
        self._endpoints.pop(endpoint, None)
        if endpoint.busy:
            endpoint.shut()
        while endpoint.busy:
            endpoint.idle.wait()
        endpoint.raw.close()

    def _close(self, _task: Threaded, operation: ops.Close) -> None:
        endpoint: Any = operation.socket
        if not endpoint.closed:
            self._discard(endpoint)

    def _shutdown(self, _task: Threaded, operation: ops.Shutdown) -> None:
        endpoint: Any = operation.socket
        if endpoint.closed:
            raise sockets.aborted()
        endpoint.raw.shutdown(socket.SHUT_WR)

    def _recv(self, _task: Threaded, operation: ops.Recv) -> bytes:
        endpoint: Any = operation.socket
        data: bytes = self._receiving(operation, endpoint.raw.recv, operation.size)
        return data

    def _recv_from(self, _task: Threaded, operation: ops.RecvFrom) -> tuple[bytes, ops.Address]:
        endpoint: Any = operation.socket
        data, address = self._receiving(operation, endpoint.raw.recvfrom, operation.size)
        return data, address[:2]

    def _send(self, _task: Threaded, operation: ops.Send) -> None:
        endpoint: Any = operation.socket
        rest = memoryview(operation.data)
        while rest:
            sent = self._limited(endpoint, socket.SO_SNDTIMEO, operation.deadline, endpoint.raw.send, rest)
            rest = rest[sent:]

    def _send_to(self, _task: Threaded, operation: ops.SendTo) -> None:
        endpoint: Any = operation.socket
        arguments = operation.data, operation.address
        self._limited(endpoint, socket.SO_SNDTIMEO, None, endpoint.raw.sendto, *arguments)

    # --- operations on tasks and queues ---

    def _spawn(self, program: ops.Program, name: str) -> Threaded:
        self._ending = [thread for thread in self._ending if thread.is_alive()]
        task = Threaded(program, name, self._lock)
        thread = threading.Thread(target=self._drive, args=(task,), name=name or None, daemon=True)
        self._tasks[task] = thread
        try:
            thread.start()
        except RuntimeError as error:
            del self._tasks[task]
            reason = f"the system has no thread for {name or 'a task'} (ulimit -u, or limits.processes): {error}"
            raise ops.Exhausted(reason) from None
        return task

    def _join(self, task: Threaded, operation: ops.Join) -> Any:
        joined: Any = operation.task
        if not joined.done:
            joined.joiners.append(task)
            try:
                return self._wait(task, operation.deadline)
            except TimeoutError:
                if not joined.done:  # otherwise this is the joined task's own error
                    joined.joiners.remove(task)
                raise
        if joined.error is not None:
            raise joined.error
        return joined.result

    def _sleep(self, task: Threaded, operation: ops.Sleep) -> None:
        self._heed_cancel(task)
        task.cancellable = True
        try:
            self._wait(task, max(operation.until, monotonic_ns() + 1000))  # never keeps the lock: others go on
        except TimeoutError:
            pass
        finally:
            task.cancellable = False

    def _cancel(self, _task: Threaded, operation: ops.Cancel) -> None:
        target: Any = operation.task
        if not target.cancellable:
            target.cancelled = not target.done
            return
        if target.queue is not None:
            target.queue.waiters.remove(target)
        self._wake(target, None, ops.Cancelled())

    def _get(self, task: Threaded, operation: ops.Get) -> Any:
        self._heed_cancel(task)
        queue = operation.queue
        if queue.items:
            return queue.items.popleft()
        queue.waiters.append(task)
        task.queue = queue
        task.cancellable = True
        try:
            return self._wait(task, operation.deadline)
        except TimeoutError:
            queue.waiters.remove(task)
            raise
        finally:
            task.queue = None
            task.cancellable = False

    def _put(self, _task: Threaded, operation: ops.Put) -> None:
        self._hand_over(operation.queue, operation.item)

    def _hand_over(self, queue: ops.Queue, item: Any) -> None:
        if queue.waiters:
            self._wake(queue.waiters.popleft(), item, None)
        else:
            queue.items.append(item)


def _foreign(_task: Threaded, operation: Any) -> Any:
    raise TypeError(f"a program yielded {operation!r}, which is no operation")
