"""The driver that all readiness-based loops share: it performs operations over a `Poller`.

Rules of this file:

1. Registration is kept between operations. READABLE stays on after a receive, so a connection costs no
   system call but its own. When an event arrives that nobody waits for, the interest is cut down to what is
   waited for (otherwise a level-triggered poller would spin), and the next receive asks for it again.
2. A receive waits for readiness first, a send is tried first: that is what nearly always succeeds.
3. A receive waits only where it is *armed*: an event will announce what comes. A level-triggered poller stays armed for
   as long as it is registered. An edge disarms until a receive said EAGAIN, a one-shot until it is registered anew. A
   short receive proves nothing, since the end of file that came with the data has no edge of its own; but see
   `Poller.tells_end`.
4. Without a deadline a receive or a send on the hot path allocates nothing and touches no timer.
5. `_loop` is long: it performs what nearly always comes next by itself, since a call costs as much as what it would do.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from functools import partial
from time import monotonic_ns
from typing import Any, ClassVar, cast

from nodes import ops
from nodes.engines.common import sockets
from nodes.engines.common.endpoint import ReadinessEndpoint, closed_send
from nodes.engines.common.loop import PENDING, Resume
from nodes.engines.common.poller import FAILED, READABLE, WRITABLE, OneShot, Poller, Trigger
from nodes.engines.common.tasks import Scheduler, Timed, yielded
from nodes.ops import Recv, Send
from nodes.wire.addresses import IPv4


class Driver(Scheduler):
    """An engine made of a poller, which each run has anew."""

    poller: ClassVar[type[Poller]]

    def __init__(self, commit: Callable[[ops.Transaction], int], random: Callable[[], float]) -> None:
        super().__init__(commit, random)
        self._endpoints: dict[int, ReadinessEndpoint]
        self._perform |= {
            ops.Listen: self._listen,
            ops.Bind: self._bind,
            ops.Accept: lambda task, op: self._await_readable(task, op, 0),
            ops.Connect: self._connect,
            ops.Recv: lambda task, op: self._await_readable(task, op, op.size),
            ops.Send: self._send,
            ops.RecvFrom: lambda task, op: self._await_readable(task, op, op.size),
            ops.SendTo: self._send_to,
        }

    def run(self, main: ops.Program) -> Any:
        poller = self._poller = self.poller()
        self._edge, self._one_shot = (poller.trigger is kind for kind in (Trigger.EDGE, Trigger.ONE_SHOT))
        try:
            return super().run(main)
        finally:
            poller.close()

    def _waiter(self) -> Callable[[int | None], list[tuple[int, int]]]:
        """What the loop waits with."""
        return self._poller.wait

    def _loop(self) -> None:
        ready, timers, wait = self._ready, self._timers.heap, self._waiter()
        edge, one_shot = self._edge, self._one_shot
        sends: Any = Send  # as types of their own they would be narrowed to what programs see of them
        receives: Any = Recv
        endpoints, step = self._endpoints, self._step
        ask_anew, readable = cast(OneShot, self._poller).anew if one_shot else (self._poller.modify, READABLE)
        while True:
            for _ in range(len(ready)):
                step(*ready.popleft())
            for fd, mask in wait(0 if ready else self._patience() if timers else None):
                try:
                    endpoint = endpoints[fd]
                except KeyError:  # closed by a program earlier in this batch
                    continue
                task = endpoint.reader
                if task is None or mask != READABLE:
                    self._notice(endpoint, mask)
                    continue
                if one_shot:  # it said that it is readable, and will say no more
                    endpoint.interest = 0
                    endpoint.armed = False
                    if endpoint.writer is not None:
                        self._watch(endpoint, WRITABLE)
                receive = endpoint.receive  # a local first: CPython does not specialise a call through a slot
                try:
                    value = receive(endpoint.size)
                except BlockingIOError:
                    if edge or one_shot:
                        self._drained(endpoint)
                    continue
                except OSError as error:
                    if edge:
                        endpoint.armed = False
                    self._end_read(endpoint, task, task.throw, error)
                    continue
                endpoint.reader = None
                if edge:
                    endpoint.armed = endpoint.drains and len(value) < endpoint.size
                if task.timer is not None:
                    self._release(task)
                resume = task.send
                try:
                    operation = resume(value)
                except BaseException as error:
                    self._ended(task, error)
                    continue
                # A step of its own for what nearly always comes next: calls cost more than what they do.
                if operation.__class__ is sends:
                    data = operation.data
                    send = operation.socket.send
                    try:
                        sent = send(data)
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
                    used = operation.socket
                    if used.reader is None:
                        if one_shot and used is endpoint and not used.interest and not used.closed:
                            ask_anew(fd, readable)
                            used.interest = READABLE
                            used.armed = True
                        if used.armed:
                            used.size = operation.size
                            used.reader = task
                            continue
                step(task, yielded, operation)
            if timers:
                self._fire_timers()

    # --- waiting and waking ---

    def _watch(self, endpoint: ReadinessEndpoint, interest: int) -> None:
        before = endpoint.interest
        if before == interest:
            return
        if not before:
            self._poller.register(endpoint.fd, interest)
        elif interest:
            self._poller.modify(endpoint.fd, interest)
        else:
            self._poller.unregister(endpoint.fd)
        endpoint.interest = interest
        endpoint.armed = interest & READABLE != 0

    def _drained(self, endpoint: ReadinessEndpoint) -> None:
        """A receive said EAGAIN."""
        endpoint.armed = True
        self._watch(endpoint, endpoint.interest | READABLE)

    def _notice(self, endpoint: ReadinessEndpoint, mask: int) -> None:
        """Any event but plain readability that a reader waits for."""
        if self._one_shot:
            endpoint.interest, endpoint.armed = 0, False
        elif self._edge and mask != WRITABLE:
            endpoint.armed = False
        used = False
        if endpoint.writer is not None and mask & (WRITABLE | FAILED):
            self._retry_write(endpoint)
            used = True
        if endpoint.reader is not None and mask & (READABLE | FAILED):
            self._retry_read(endpoint, endpoint.reader)
            used = True
        wanted = (READABLE if endpoint.reader else 0) | (WRITABLE if endpoint.writer else 0)
        if not used:
            self._watch(endpoint, wanted)
        elif self._one_shot:
            self._watch(endpoint, endpoint.interest | wanted)

    def _retry_read(self, endpoint: ReadinessEndpoint, task: Timed) -> None:
        try:
            value = endpoint.receive(endpoint.size)
        except BlockingIOError:
            self._drained(endpoint)
        except OSError as error:
            self._end_read(endpoint, task, task.throw, error)
        else:
            self._end_read(endpoint, task, task.send, value)

    def _end_read(self, endpoint: ReadinessEndpoint, task: Timed, resume: Resume, argument: Any) -> None:
        endpoint.reader = None
        self._wake(task, resume, argument)

    def _retry_write(self, endpoint: ReadinessEndpoint) -> None:
        task, retry = endpoint.writer, endpoint.retry
        assert task is not None
        assert retry is not None
        resume: Resume = task.send
        try:
            value = retry()
        except BlockingIOError:
            return
        except OSError as error:
            resume, value = task.throw, error
        if value is not PENDING:
            self._forget_writer(endpoint)
            self._wake(task, resume, value)
        elif self._edge:  # it took something, so nobody knows whether it would take more
            self._poller.modify(endpoint.fd, endpoint.interest)

    def _forget_writer(self, endpoint: ReadinessEndpoint) -> None:
        """Writability is nearly always true, so unlike readability it is not kept."""
        endpoint.writer = endpoint.retry = None
        if not endpoint.closed:
            self._watch(endpoint, endpoint.interest & ~WRITABLE)

    def _forget_reader(self, endpoint: ReadinessEndpoint) -> None:
        endpoint.reader = None

    def _await_readable(self, task: Timed, operation: Any, size: int) -> Any:
        endpoint: ReadinessEndpoint = operation.socket
        if endpoint.closed:
            raise sockets.aborted()
        if endpoint.reader is not None:
            raise RuntimeError("two receives are outstanding on one socket")
        if endpoint.interest & READABLE and not endpoint.armed:
            try:
                return endpoint.receive(size)
            except BlockingIOError:
                self._drained(endpoint)
        self._watch(endpoint, endpoint.interest | READABLE)
        endpoint.reader = task
        endpoint.size = size
        if operation.deadline is not None:
            self._arm(task, operation.deadline, partial(self._forget_reader, endpoint))
        return PENDING

    def _await_writable(
        self, task: Timed, endpoint: ReadinessEndpoint, retry: Callable[[], Any], deadline: int | None
    ) -> Any:
        if endpoint.writer is not None:
            raise RuntimeError("two sends are outstanding on one socket")
        self._watch(endpoint, endpoint.interest | WRITABLE)
        endpoint.writer = task
        endpoint.retry = retry
        if deadline is not None:
            self._arm(task, deadline, partial(self._forget_writer, endpoint))
        return PENDING

    # --- operations ---

    def _adopt(self, raw: socket.socket, local: ops.Address, peer: ops.Address | None) -> ReadinessEndpoint:
        endpoint = self._enter(raw, raw.recv, local, peer)
        endpoint.drains = self._poller.tells_end and raw.family in sockets.INTERNET
        return endpoint

    def _enter(
        self, raw: socket.socket, receive: Callable[[int], Any], local: ops.Address, peer: ops.Address | None
    ) -> ReadinessEndpoint:
        raw.setblocking(False)
        endpoint = self._endpoints[raw.fileno()] = ReadinessEndpoint(raw, receive, local, peer)
        return endpoint

    def _listen(self, _task: Timed, operation: ops.Listen) -> ReadinessEndpoint:
        raw = sockets.listener(operation.address, operation.backlog, operation.bounded)
        return self._enter(raw, lambda _size: self._accept(raw), sockets.local_of(raw), None)

    def _accept(self, listener: socket.socket) -> ReadinessEndpoint:
        raw, peer = sockets.accepted(listener)
        return self._adopt(raw, sockets.local_of(raw), peer)

    def _bind(self, _task: Timed, operation: ops.Bind) -> ReadinessEndpoint:
        raw = sockets.datagram(operation.address)
        receive, read = raw.recvfrom, sockets.reader(raw)

        def received(size: int) -> tuple[bytes, ops.Address]:
            data, address = receive(size)
            return data, read(address)

        return self._enter(raw, received, sockets.local_of(raw), None)

    def _connect(self, task: Timed, operation: ops.Connect) -> Any:
        raw, address = sockets.connecting(operation.address, operation.bounded), sockets.plain(operation.address)
        endpoint = self._adopt(raw, sockets.local_of(raw), None)
        try:
            raw.connect(address)
        except BlockingIOError:
            if raw.family not in sockets.INTERNET:  # its listener's backlog is full
                deadline = operation.deadline
                return self._again(task, partial(self._reconnect, endpoint, address, deadline), deadline)
        except Exception:
            self._discard(endpoint)
            raise
        try:
            self._await_writable(task, endpoint, partial(self._connected, endpoint), operation.deadline)
        except OSError:  # the poller does not take it
            self._discard(endpoint)
            raise
        if operation.deadline is not None:
            task.undo = partial(self._discard, endpoint)
        return PENDING

    def _connected(self, endpoint: ReadinessEndpoint) -> Any:
        failure = endpoint.raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        try:
            if failure:
                raise OSError(failure, os.strerror(failure))
            try:
                endpoint.peer = sockets.peer_of(endpoint.raw)
            except OSError:  # not connected and no failure: the event was meant for the number's last owner
                return PENDING
            endpoint.local = sockets.local_of(endpoint.raw)
            sockets.refuse_self(endpoint.local, endpoint.peer)
        except OSError:
            self._discard(endpoint)
            raise
        self._watch(endpoint, READABLE)  # the answer comes next: one call for both changes
        return endpoint

    def _discard(self, endpoint: ReadinessEndpoint) -> None:
        """Without a word to whoever waits on it."""
        self._watch(endpoint, 0)
        endpoint.closed = True
        endpoint.send = closed_send
        self._endpoints.pop(endpoint.fd, None)
        endpoint.raw.close()

    def _close(self, task: Timed, operation: ops.Close) -> None:
        endpoint: Any = operation.socket
        super()._close(task, operation)
        for waiting in (endpoint.reader, endpoint.writer):
            if waiting is not None:
                self._wake(waiting, waiting.throw, sockets.aborted())
        endpoint.reader = endpoint.writer = endpoint.retry = None

    def _send(self, task: Timed, operation: ops.Send) -> Any:
        endpoint: Any = operation.socket
        try:
            sent = endpoint.send(operation.data)
        except BlockingIOError:
            sent = None
        return None if sent == len(operation.data) else self._await_sent(task, operation, sent)

    def _await_sent(self, task: Timed, operation: ops.Send, sent: int | None) -> Any:
        """`sent`: how much was; None: it had no room even for none at all, which may be a message."""
        endpoint: Any = operation.socket
        rest = sockets.rest(operation.data, sent)
        if sent and not rest:
            return None

        def retry() -> Any:
            nonlocal rest
            rest = rest[endpoint.send(rest) :]
            return PENDING if rest else None

        return self._await_writable(task, endpoint, retry, operation.deadline)

    def _send_to(self, task: Timed, operation: ops.SendTo) -> Any:
        endpoint: Any = operation.socket
        if endpoint.closed:
            raise sockets.aborted()
        data, address = operation.data, operation.address
        if address.__class__ is not IPv4:
            address = sockets.plain(address)
        try:
            endpoint.raw.sendto(data, address)
        except BlockingIOError:
            return self._again(task, partial(_send_to, endpoint, data, address), operation.deadline)
        return None

    def _reconnect(self, endpoint: ReadinessEndpoint, address: Any, deadline: int | None) -> ReadinessEndpoint:
        try:
            endpoint.raw.connect(address)
            endpoint.peer = sockets.peer_of(endpoint.raw)
        except OSError as error:
            in_time = deadline is None or monotonic_ns() < deadline
            if not (in_time and isinstance(error, BlockingIOError)):
                self._discard(endpoint)
            raise
        return endpoint


def _send_to(endpoint: ReadinessEndpoint, data: bytes, address: Any) -> None:
    if endpoint.closed:
        raise sockets.aborted()
    endpoint.raw.sendto(data, address)
