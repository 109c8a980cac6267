"""The driver that all completion-based loops share: it performs operations over a `Port`.

Rules of this file:

1. An operation is asked for once and done by the kernel: the port says when it is complete, with its result. No socket
   is ever asked whether it is ready. Only what is sent is first handed over by a call of its own, which takes what
   there is room for: that is nearly always all, and so one call asks for all receives of a turn and waits. A datagram
   is handed over by no other, again and again if need be, since several may be on their way.
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
from typing import Any, ClassVar, Protocol

from nodes import ops
from nodes.engines.common import sockets
from nodes.engines.common.endpoint import Endpoint
from nodes.engines.common.loop import PENDING, Resume
from nodes.engines.common.tasks import Scheduler, Timed, yielded
from nodes.ops import Recv, Send

_PATIENCE = 10_000_000  # nanoseconds that a withdrawn request may take at the end of a run, ...
_WITHDRAWN = (errno.ECANCELED, errno.EINTR)  # the latter of one that a thread of the kernel was blocked in
_TURNS = 100  # ... and how often it is waited for


class Request:
    """`finish` makes the operation's value of an outcome, or raises; None takes it as it is.

    `bounded`: what it receives are messages, which come whole. `late`: its deadline has passed, and it was withdrawn.
    All below `late` is the port's own.
    """

    __slots__ = (
        "bounded",
        "busy",
        "fd",
        "finish",
        "keep",
        "late",
        "picked",
        "plan",
        "size",
        "take",
        "task",
        "token",
        "whole",
    )

    def __init__(self, fd: int, bounded: bool = False) -> None:
        self.fd = fd
        self.bounded = bounded
        self.busy = False
        self.task: Timed | None = None
        self.finish: Callable[[Any], Any] | None = None
        self.late = False
        self.token = id(self)
        self.whole = 0
        self.size = -1
        self.plan: bytes | bytearray = b""
        self.keep: Any = None
        self.picked: Callable[[Request, bytes], Any] | None = None
        self.take: Callable[[Request, int], Any] | None = None


_CLOSED = Request(-1)
"""Of every endpoint that is closed: it takes nothing."""
_CLOSED.busy = True


class CompletionEndpoint(Endpoint):
    """An open descriptor and its two requests; `send` is the raw call."""

    __slots__ = ("receiving", "send", "sending")

    def __init__(self, raw: socket.socket, local: ops.Address, peer: ops.Address | None) -> None:
        super().__init__(raw, local, peer)
        self.send: Callable[[bytes, int], int] = raw.send
        self.receiving = Request(self.fd, raw.type == sockets.MESSAGES)
        self.sending = Request(self.fd)


class Port(Protocol):
    """The raw completion port: what is asked of the kernel, and what is done. Each request is busy at most once.

    A request's outcome, as `wait` gives it: an OSError, or what its method says. `at_once`: the flags of a send that
    takes what there is room for, and does not wait for more.
    """

    at_once: int

    def receive(self, request: Request, size: int) -> None:
        """-> bytes"""

    def send(self, request: Request, data: bytes) -> None:
        """-> None, or how many bytes were sent where that was not all of them"""

    def accept(self, request: Request) -> None:
        """-> (int, Address): the connection's descriptor, and its peer"""

    def connect(self, request: Request, address: ops.Address) -> None:
        """-> None"""

    def receive_from(self, request: Request, size: int) -> None:
        """-> (bytes, Address)"""

    def cancel(self, request: Request) -> None:
        """Withdraw it: it will complete with ECANCELED, or as it did before."""

    def forget(self, request: Request) -> None:
        """It is not busy, and will never be again."""

    def flush(self) -> None:
        """Hand over what was asked for, without waiting."""

    def wait(self, timeout_ns: int | None) -> Iterable[tuple[Request, Any]]:
        """What is complete, its requests no longer busy; nothing at the timeout. None waits for ever."""
        ...

    def close(self) -> None: ...


class Driver(Scheduler):
    """An engine made of a port, which each run has anew."""

    port: ClassVar[type[Port]]

    def __init__(self, commit: Callable[[ops.Transaction], int], random: Callable[[], float]) -> None:
        super().__init__(commit, random)
        self._endpoints: dict[int, CompletionEndpoint]
        self._perform |= {
            ops.Listen: lambda task, op: self._own(sockets.listener(op.address, op.backlog, op.bounded)),
            ops.Bind: lambda task, op: self._own(sockets.datagram(op.address)),
            ops.Accept: self._accept,
            ops.Connect: self._connect,
            ops.Recv: self._recv,
            ops.Send: self._send,
            ops.RecvFrom: self._recv_from,
            ops.SendTo: self._send_to,
        }

    def run(self, main: ops.Program) -> Any:
        self._port = self.port()
        try:
            return super().run(main)
        finally:
            self._port.close()

    def _loop(self) -> None:
        ready, timers, wait, step = self._ready, self._timers.heap, self._port.wait, self._step
        receive, at_once = self._port.receive, self._port.at_once
        sends: Any = Send  # as types of their own they would be narrowed to what programs see of them
        receives: Any = Recv
        while True:
            for _ in range(len(ready)):
                step(*ready.popleft())
            for request, outcome in wait(0 if ready else self._patience() if timers else None):
                task = request.task
                if task is None or request.finish is not None or not (outcome is None or outcome.__class__ is bytes):
                    self._complete(request, outcome)
                    continue
                request.task = None
                if task.timer is not None:
                    self._release(task)
                resume = task.send
                try:
                    operation = resume(outcome)
                except BaseException as error:
                    self._ended(task, error)
                    continue
                # A step of its own for what nearly always comes next: calls cost more than what they do.
                if operation.__class__ is sends and not operation.socket.sending.busy:
                    data = operation.data
                    send = operation.socket.send
                    try:
                        sent = send(data, at_once)
                    except BlockingIOError:
                        sent = None
                    except Exception as error:
                        step(task, task.throw, error)
                        continue
                    if sent != len(data):
                        self._send_rest(task, operation, sent)
                        continue
                    try:
                        operation = resume(None)
                    except BaseException as error:
                        self._ended(task, error)
                        continue
                if operation.__class__ is receives and operation.deadline is None:
                    request = operation.socket.receiving
                    if not request.busy:
                        request.task = task
                        receive(request, operation.size)
                        continue
                step(task, yielded, operation)
            if timers:
                self._fire_timers()

    # --- waiting and waking ---

    def _complete(self, request: Request, outcome: Any) -> None:
        """Anything but what the operation waits for, as it is."""
        task, request.task = request.task, None
        if task is None:
            self._port.forget(request)
            self._let_go(outcome)
            return
        resume: Resume = task.send
        try:
            if isinstance(outcome, OSError):
                if request.late and outcome.errno in _WITHDRAWN:
                    outcome = _too_late()
                if request.finish is None:
                    raise outcome
            value = request.finish(outcome) if request.finish is not None else self._go_on(request, outcome)
        except OSError as error:
            resume, value = task.throw, error
        if value is PENDING:
            request.task = task
            return
        self._release(task)
        self._step(task, resume, value)

    def _go_on(self, request: Request, sent: int) -> Any:
        """With the rest of what a send did not send."""
        if request.late:
            raise _too_late()
        self._port.send(request, request.keep[sent:])
        return PENDING

    @staticmethod
    def _let_go(outcome: Any) -> None:
        """Nobody waits for it any more; a connection that was accepted all the same is closed."""
        match outcome:
            case (int(descriptor), _):
                socket.close(descriptor)

    def _await(self, task: Timed, request: Request, finish: Callable[[Any], Any] | None, deadline: int | None) -> Any:
        """The request was just submitted for this task."""
        request.task, request.finish, request.late = task, finish, False
        if deadline is not None:
            self._arm(task, deadline, partial(self._withdraw, request))
        return PENDING

    def _withdraw(self, request: Request) -> Any:
        request.late = True
        self._port.cancel(request)
        return PENDING

    # --- operations ---

    def _adopt(self, raw: socket.socket, local: ops.Address, peer: ops.Address | None) -> CompletionEndpoint:
        endpoint = self._endpoints[raw.fileno()] = CompletionEndpoint(raw, local, peer)
        return endpoint

    def _own(self, raw: socket.socket) -> CompletionEndpoint:
        return self._adopt(raw, sockets.local_of(raw), None)

    def _recv(self, task: Timed, operation: ops.Recv) -> Any:
        request = _idle(operation.socket, "receiving")
        self._port.receive(request, operation.size)
        return self._await(task, request, None, operation.deadline)

    def _send(self, task: Timed, operation: ops.Send) -> Any:
        endpoint: Any = operation.socket
        request = _idle(endpoint, "sending")
        try:
            sent = endpoint.send(operation.data, self._port.at_once)
        except BlockingIOError:  # it has no room even for none at all, which may be a message
            sent = None
        if sent == len(operation.data):
            return None
        rest = sockets.rest(operation.data, sent)
        if sent and not rest:
            return None
        self._port.send(request, bytes(rest))
        return self._await(task, request, None, operation.deadline)

    def _recv_from(self, task: Timed, operation: ops.RecvFrom) -> Any:
        request = _idle(operation.socket, "receiving")
        self._port.receive_from(request, operation.size)
        return self._await(task, request, _given, operation.deadline)

    def _send_to(self, task: Timed, operation: ops.SendTo) -> Any:
        send = partial(self._hand_over, operation.socket, operation.data, sockets.plain(operation.address))
        try:
            send()
        except BlockingIOError:
            return self._again(task, send, operation.deadline)
        return None

    def _hand_over(self, endpoint: Any, data: bytes, address: Any) -> None:
        self._open(endpoint).raw.sendto(data, self._port.at_once, address)

    def _accept(self, task: Timed, operation: ops.Accept) -> Any:
        endpoint: Any = operation.socket
        request = _idle(endpoint, "receiving")
        self._port.accept(request)
        return self._await(task, request, partial(self._accepted, endpoint.raw), operation.deadline)

    def _accepted(self, listener: socket.socket, outcome: Any) -> CompletionEndpoint:
        descriptor, address = _given(outcome)
        raw = socket.socket(listener.family, listener.type, listener.proto, descriptor)
        sockets.prompt(raw)
        return self._adopt(raw, sockets.local_of(raw), address)

    def _connect(self, task: Timed, operation: ops.Connect) -> Any:
        endpoint = self._own(sockets.connecting(operation.address, operation.bounded))
        try:
            self._port.connect(endpoint.sending, operation.address)
        except Exception:
            self._discard(endpoint)
            raise
        return self._await(task, endpoint.sending, partial(self._connected, endpoint), operation.deadline)

    def _connected(self, endpoint: CompletionEndpoint, outcome: Any) -> CompletionEndpoint:
        try:
            _given(outcome)
            endpoint.sending.finish = None
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
        for request in (endpoint.receiving, endpoint.sending):
            if not request.busy:
                self._port.forget(request)
        endpoint.receiving = endpoint.sending = _CLOSED

    def _abandon(self, endpoint: CompletionEndpoint) -> bool:
        """Whether there was a request to withdraw."""
        busy = [request for request in (endpoint.receiving, endpoint.sending) if request.busy]
        for request in busy:
            self._port.cancel(request)
        return bool(busy)

    def _close(self, task: Timed, operation: ops.Close) -> None:
        endpoint: Any = operation.socket
        requests = endpoint.receiving, endpoint.sending
        super()._close(task, operation)
        for request in requests:
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


def _idle(endpoint: Any, which: str) -> Request:
    request: Request = getattr(endpoint, which)
    if request.busy or endpoint.closed:
        raise _refusal(endpoint)
    return request


def _refusal(endpoint: Endpoint) -> Exception:
    """Why its request takes no operation."""
    return (
        sockets.aborted()
        if endpoint.closed
        else RuntimeError("two receives or two sends are outstanding on one socket")
    )


def _too_late() -> TimeoutError:
    return TimeoutError("the operation's deadline has passed")


def _given(outcome: Any) -> Any:
    if isinstance(outcome, OSError):
        raise outcome
    return outcome
