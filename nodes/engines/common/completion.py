"""The driver that all completion-based loops share: it performs operations over a `Port`.

Rules of this file:

1. An operation is asked for once and done by the kernel: the port says when it is complete, with its result. Nothing is
   tried first, and no socket is ever asked whether it is ready.
2. Of each kind, receiving and sending, a socket has one request, used again and again; it is `busy` from its
   submission to its completion, and what the kernel reads or writes is kept with it so long.
3. A deadline withdraws the request and then waits for its completion, which comes at once: what the kernel had already
   received is not lost. Close abandons it: whoever waited is told at once, and what still comes goes nowhere.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from nodes import ops
from nodes.engines.common import sockets
from nodes.engines.common.endpoint import Endpoint
from nodes.engines.common.loop import PENDING, Resume
from nodes.engines.common.tasks import Scheduler, Timed

_BUDGET = 64  # operations performed in one go before the others have their turn
_PATIENCE = 10_000_000  # nanoseconds that a withdrawn request may take at the end of a run, ...
_TURNS = 100  # ... and how often it is waited for


class Request:
    """`finish` makes the operation's value of what came, or raises; None takes it as it is.

    `late`: its deadline has passed, and it was withdrawn. `take` and `keep` are the port's: how it reads the
    completion, and what the kernel uses until then.
    """

    __slots__ = ("busy", "finish", "keep", "late", "take", "task")

    def __init__(self) -> None:
        self.busy = False
        self.late = False
        self.task: Timed | None = None
        self.finish: Callable[[Any], Any] | None = None
        self.keep: Any = None
        self.take: Any = None


class CompletionEndpoint(Endpoint):
    """An open descriptor and its two requests."""

    __slots__ = ("receiving", "sending")

    def __init__(self, raw: socket.socket, local: ops.Address, peer: ops.Address | None) -> None:
        super().__init__(raw, local, peer)
        self.receiving = Request()
        self.sending = Request()


class Port(Protocol):
    """The raw completion port: what is asked of the kernel, and what is done. Each request is busy at most once.

    A request's outcome, as `wait` gives it: an OSError, or what its method says.
    """

    def receive(self, request: Request, fd: int, size: int) -> None:
        """-> bytes"""

    def send(self, request: Request, fd: int, data: bytes) -> None:
        """-> int, the bytes sent: fewer only where the next send would fail"""

    def accept(self, request: Request, fd: int) -> None:
        """-> (int, Address): the connection's descriptor, and its peer"""

    def connect(self, request: Request, fd: int, address: ops.Address) -> None:
        """-> int"""

    def receive_from(self, request: Request, fd: int, size: int) -> None:
        """-> (bytes, Address)"""

    def send_to(self, request: Request, fd: int, data: bytes, address: ops.Address) -> None:
        """-> int"""

    def cancel(self, request: Request) -> None:
        """Withdraw it: it will complete with ECANCELED, or as it did before."""

    def flush(self) -> None:
        """Hand over what was asked for, without waiting."""

    def wait(self, timeout_ns: int | None) -> Iterable[tuple[Request, Any]]:
        """What is complete, its requests no longer busy; nothing at the timeout. None waits for ever."""
        ...

    def close(self) -> None: ...


class Driver(Scheduler):
    """An engine made of a port. `open_port` is called at the start of each run."""

    def __init__(
        self, open_port: Callable[[], Port], commit: Callable[[ops.Transaction], int], random: Callable[[], float]
    ) -> None:
        super().__init__(commit, random)
        self._open_port = open_port
        self._endpoints: dict[int, CompletionEndpoint]
        self._perform |= {
            ops.Listen: lambda task, op: self._own(sockets.listener(op.address, op.backlog)),
            ops.Bind: lambda task, op: self._own(sockets.datagram(op.address)),
            ops.Accept: self._accept,
            ops.Connect: self._connect,
            ops.Recv: self._recv,
            ops.Send: self._send,
            ops.RecvFrom: self._recv_from,
            ops.SendTo: self._send_to,
        }

    def run(self, main: ops.Program) -> Any:
        self._port = self._open_port()
        try:
            return super().run(main)
        finally:
            self._port.close()

    def _loop(self) -> None:
        ready, timers, wait, step, complete = self._ready, self._timers, self._port.wait, self._step, self._complete
        while True:
            for _ in range(len(ready)):
                step(*ready.popleft())
            for request, outcome in wait(0 if ready else self._patience() if timers else None):
                complete(request, outcome)
            if timers:
                self._fire_timers()

    def _step(self, task: Timed, resume: Resume, argument: Any) -> None:
        """Resume the task and perform what it yields until something has to wait."""
        budget = _BUDGET
        perform = self._perform
        while budget:
            budget -= 1
            try:
                operation = resume(argument)
            except BaseException as error:
                self._ended(task, error)
                return
            resume = task.send
            try:
                argument = perform.get(operation.__class__, self._foreign)(task, operation)
            except (Exception, ops.Cancelled) as error:
                resume, argument = task.throw, error
            if argument is PENDING:
                return
        self._ready.append((task, resume, argument))

    # --- waiting and waking ---

    def _complete(self, request: Request, outcome: Any) -> None:
        task, request.task = request.task, None
        request.keep = None
        if task is None:
            self._let_go(outcome)
            return
        finish = request.finish
        if finish is None and outcome.__class__ is bytes:
            if task.timer is not None:
                self._release(task)
            self._step(task, task.send, outcome)
            return
        resume: Resume = task.send
        try:
            if request.late and isinstance(outcome, OSError) and outcome.errno == errno.ECANCELED:
                outcome = _too_late()
            if finish is not None:
                outcome = finish(outcome)
            elif isinstance(outcome, Exception):
                raise outcome
        except OSError as error:
            resume, outcome = task.throw, error
        if outcome is PENDING:
            request.task = task
        else:
            self._release(task)
            self._step(task, resume, outcome)

    @staticmethod
    def _let_go(outcome: Any) -> None:
        """Nobody waits for it any more; a connection that was accepted all the same is closed."""
        match outcome:
            case (int(descriptor), _):
                socket.close(descriptor)

    def _await(self, task: Timed, request: Request, deadline: int | None) -> Any:
        """The request was just submitted for this task."""
        request.task = task
        request.late = False
        if deadline is not None:
            self._arm(task, deadline, partial(self._withdraw, request))
        return PENDING

    def _withdraw(self, request: Request) -> Any:
        request.late = True
        self._port.cancel(request)
        return PENDING

    @staticmethod
    def _idle(endpoint: CompletionEndpoint, request: Request) -> Request:
        if endpoint.closed:
            raise sockets.aborted()
        if request.busy:
            raise RuntimeError("two receives or two sends are outstanding on one socket")
        return request

    # --- operations ---

    def _adopt(self, raw: socket.socket, local: ops.Address, peer: ops.Address | None) -> CompletionEndpoint:
        endpoint = self._endpoints[raw.fileno()] = CompletionEndpoint(raw, local, peer)
        return endpoint

    def _own(self, raw: socket.socket) -> CompletionEndpoint:
        return self._adopt(raw, sockets.local_of(raw), None)

    def _recv(self, task: Timed, operation: ops.Recv) -> Any:
        endpoint: Any = operation.socket
        request = self._idle(endpoint, endpoint.receiving)
        request.finish = None
        self._port.receive(request, endpoint.fd, operation.size)
        return self._await(task, request, operation.deadline)

    def _send(self, task: Timed, operation: ops.Send) -> Any:
        endpoint: Any = operation.socket
        request = self._idle(endpoint, endpoint.sending)
        data = operation.data
        if not data:
            return None
        request.finish = partial(self._sent, request, endpoint.fd, data)
        self._port.send(request, endpoint.fd, data)
        return self._await(task, request, operation.deadline)

    def _sent(self, request: Request, fd: int, data: bytes, outcome: Any) -> Any:
        if isinstance(outcome, OSError):
            raise outcome
        if outcome == len(data):
            return None
        if request.late:
            raise _too_late()
        rest = data[outcome:]
        request.finish = partial(self._sent, request, fd, rest)
        self._port.send(request, fd, rest)
        return PENDING

    def _recv_from(self, task: Timed, operation: ops.RecvFrom) -> Any:
        endpoint: Any = operation.socket
        request = self._idle(endpoint, endpoint.receiving)
        request.finish = _given
        self._port.receive_from(request, endpoint.fd, operation.size)
        return self._await(task, request, operation.deadline)

    def _send_to(self, task: Timed, operation: ops.SendTo) -> Any:
        endpoint: Any = operation.socket
        request = self._idle(endpoint, endpoint.sending)
        request.finish = _nothing
        self._port.send_to(request, endpoint.fd, operation.data, operation.address)
        return self._await(task, request, None)

    def _accept(self, task: Timed, operation: ops.Accept) -> Any:
        endpoint: Any = operation.socket
        request = self._idle(endpoint, endpoint.receiving)
        request.finish = partial(self._accepted, endpoint.raw)
        self._port.accept(request, endpoint.fd)
        return self._await(task, request, operation.deadline)

    def _accepted(self, listener: socket.socket, outcome: Any) -> CompletionEndpoint:
        descriptor, address = _given(outcome)
        raw = socket.socket(listener.family, listener.type, listener.proto, descriptor)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._adopt(raw, sockets.local_of(raw), address)

    def _connect(self, task: Timed, operation: ops.Connect) -> Any:
        endpoint = self._own(sockets.stream(operation.address))
        request = endpoint.sending
        request.finish = partial(self._connected, endpoint)
        try:
            self._port.connect(request, endpoint.fd, operation.address)
        except OSError:
            self._discard(endpoint)
            raise
        return self._await(task, request, operation.deadline)

    def _connected(self, endpoint: CompletionEndpoint, outcome: Any) -> CompletionEndpoint:
        try:
            _given(outcome)
            endpoint.local, endpoint.peer = sockets.local_of(endpoint.raw), sockets.peer_of(endpoint.raw)
            sockets.refuse_self(endpoint.local, endpoint.peer)
        except OSError:
            self._discard(endpoint)
            raise
        return endpoint

    def _discard(self, endpoint: CompletionEndpoint) -> None:
        """Without a word to whoever waits on it. The kernel lets go of a descriptor with its last request on it."""
        endpoint.closed = True
        self._endpoints.pop(endpoint.fd, None)
        if self._abandon(endpoint):
            self._port.flush()
        endpoint.raw.close()

    def _abandon(self, endpoint: CompletionEndpoint) -> bool:
        """Whether there was a request to withdraw."""
        busy = [request for request in (endpoint.receiving, endpoint.sending) if request.busy]
        for request in busy:
            self._port.cancel(request)
        return bool(busy)

    def _close(self, task: Timed, operation: ops.Close) -> None:
        endpoint: Any = operation.socket
        super()._close(task, operation)
        for request in (endpoint.receiving, endpoint.sending):
            waiting, request.task = request.task, None
            if waiting is not None:
                self._wake(waiting, waiting.throw, sockets.aborted())

    def _end_tasks(self) -> None:
        """What the kernel still works on ends before its memory goes."""
        super()._end_tasks()
        busy = [endpoint for endpoint in self._endpoints.values() if self._abandon(endpoint)]
        for _ in range(_TURNS):
            if not busy:
                return
            for request, outcome in self._port.wait(_PATIENCE):
                request.task = None
                self._let_go(outcome)
            busy = [one for one in busy if one.receiving.busy or one.sending.busy]


def _too_late() -> TimeoutError:
    return TimeoutError("the operation's deadline has passed")


def _given(outcome: Any) -> Any:
    if isinstance(outcome, OSError):
        raise outcome
    return outcome


def _nothing(outcome: Any) -> None:
    _given(outcome)
