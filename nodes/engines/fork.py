"""A process for each connection (fork(2), Linux): the child performs the connection's program, blocking, and ends.

Rules of this file:

1. Only a program that is spawned for a connection (`Spawn.connection`) is a process; the rest of the node is one loop
   over poll(2), which must be alone in its process: a child has no other thread.
2. A child has a copy of the node's memory: what its program changes there nobody else sees. It writes into the node's
   journal, which takes whole records from several processes.
3. A child ends with its node, however that ends (PR_SET_PDEATHSIG, prctl(2)), and one that fails ends its node. The
   node knows it by a line between them, whose end is the child's.
"""

from __future__ import annotations

import os
import random as numbers
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from ctypes import c_int, c_ulong
from functools import partial
from typing import Any, NoReturn

from nodes import ops
from nodes.engines import poll, threads
from nodes.engines.common import libc
from nodes.engines.common.endpoint import Endpoint, ReadinessEndpoint
from nodes.engines.common.offer import Offer
from nodes.engines.common.readiness import Driver
from nodes.engines.common.tasks import Timed
from nodes.wire.addresses import UnixPath
from nodes.wire.transports import TRANSPORTS

MOST = 1024
"""Children at once."""
_PR_SET_PDEATHSIG = 1
_FAILED = 1


def availability() -> str | None:
    return poll.availability() or libc.missing("prctl")


class Child(threads.Engine):
    """What a connection's process performs its program with. `connection` is the socket as the program knows it."""

    def __init__(self, connection: Endpoint, commit: Callable[[ops.Transaction], int], seed: float) -> None:
        super().__init__(commit, numbers.Random(seed).random)
        self._known = connection
        connection.raw.setblocking(True)
        self._own = self._adopt(connection.raw, connection.local, connection.peer)
        self._perform = {kind: partial(self._translated, perform) for kind, perform in self._perform.items()}

    def _translated(self, perform: Callable[[Any, Any], Any], task: Any, operation: Any) -> Any:
        if getattr(operation, "socket", None) is self._known:
            operation.socket = self._own
        return perform(task, operation)


class Engine(Driver):
    """One loop, and a process for each connection."""

    offer = Offer(frozenset(name for name, row in TRANSPORTS.items() if row.connected), shared=False)
    poller = poll.PollPoller

    def __init__(self, commit: Callable[[ops.Transaction], int], random: Callable[[], float]) -> None:
        super().__init__(commit, random)
        self._commit, self._random = commit, random
        self.children: set[int] = set()
        self._perform[ops.Spawn] = self._spawn_for

    def run(self, main: ops.Program) -> Any:
        before = signal.signal(signal.SIGCONT, self._go_on)
        try:
            return super().run(main)
        finally:
            signal.signal(signal.SIGCONT, before)

    def _go_on(self, *_: Any) -> None:
        """Who let the node go on may know nothing of its children, which stopped with it."""
        for child in self.children:
            os.kill(child, signal.SIGCONT)

    def _tear_down(self) -> None:
        for child in self.children:
            os.kill(child, signal.SIGKILL)
        while self.children:
            os.waitpid(self.children.pop(), 0)
        super()._tear_down()

    def _accept(self, listener: socket.socket) -> ReadinessEndpoint:
        """It waits in the backlog while there are no descriptors for the line to its process."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            return super()._accept(listener)

    def _spawn_for(self, _task: Timed, operation: ops.Spawn) -> Timed:
        connection: Any = operation.connection
        if connection is None:
            return self._spawn(operation.program, operation.name)
        if len(self.children) >= MOST:
            raise ops.Exhausted(f"{MOST} connections have a process each: there is none for {operation.name}")
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                child = self._fork(operation, connection, ours)
        except OSError as error:
            why = f"(ulimit -u and -n, or limits.processes): {error.strerror}"
            raise ops.Exhausted(f"the system has no process for {operation.name} {why}") from None
        self.children.add(child)
        self._discard(connection)
        line = self._adopt(ours, UnixPath(""), None)
        return self._spawn(self._until_it_ends(child, line, operation.name), operation.name)

    def _fork(self, operation: ops.Spawn, connection: Any, ours: socket.socket) -> int:
        node, seed = os.getpid(), self._random()
        try:
            child = os.fork()
        except OSError:
            ours.close()
            raise
        if child == 0:
            self._become(operation.program, connection, node, seed)
        return child

    def _until_it_ends(self, child: int, line: ops.Socket, name: str) -> ops.Program:
        """Until it has ended; its task is the connection's. Raises ChildProcessError: it failed."""
        yield ops.Recv(line, 1)
        self.children.discard(child)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        yield ops.Close(line)
        if code:
            raise ChildProcessError(f"the process of {name} ended with {code}")

    def _become(self, program: ops.Program, connection: Any, node: int, seed: float) -> NoReturn:
        """The child's life."""
        code = _FAILED
        try:
            libc.function("prctl", c_int, c_ulong)(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == node:
                signal.signal(signal.SIGCONT, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with its node
                self._let_go(connection)
                Child(connection, self._commit, seed).run(program)
                code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _let_go(self, connection: Any) -> None:
        """What else is open is the node's. Nothing is shut down or unlinked by this."""
        for endpoint in self._endpoints.values():
            if endpoint is not connection:
                os.close(endpoint.raw.detach())
        if self._bell is not None:
            os.close(self._bell.detach())
