"""PURE: the driver that calls our own servers: programs that send attempts, wait, and send again.

One driver serves one client process. What it sends on is nodes/drivers/lines.py's affair.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nodes.drivers import Operation
from nodes.drivers.lines import Ended, Line, Lines, describe
from nodes.ops import Address, Get, Now, Program, Put, Random, Sleep
from nodes.reports import Reports
from nodes.rpc.calls import Call, Session, outcome
from nodes.rpc.codecs import Codec
from nodes.rpc.interface import Interface, Procedure, stub
from nodes.rpc.retry import Retry
from nodes.wire.header import CallHeader
from nodes.wire.record import Kind, Witness
from nodes.wire.transports import TRANSPORTS


class Finish(NamedTuple):
    """Settling is over; in every open mailbox."""


class RpcDriver:
    """A client process's calls on one server, over one link."""

    def __init__(
        self,
        session: Session,
        interface: Interface,
        codec: Codec,
        transport: str,
        target: Address,
        local: str,
        retry: Retry,
        witness: Witness,
        reports: Reports,
        process: int,
    ) -> None:
        self.session = session
        self.retry = retry
        self.witness = witness
        self.reports = reports
        self._stub = stub(interface, self._invoke)
        self._operation = Operation(0, 0, "", None)
        self._connected = TRANSPORTS[transport].connected
        self._lines = Lines(session, codec, TRANSPORTS[transport], target, local, witness, process)
        self._finished = False

    # The driver seam

    def open(self) -> Program:
        """Say hello until it is answered, with the same backoff as calls."""
        attempt = 0
        while not self._finished and self.session.owes_hello:
            attempt += 1
            wait = yield from self._wait(attempt)
            now = yield Now()
            deadline = now + wait
            yield from self._lines.connected(None, deadline)
            if self.session.owes_hello:
                yield Sleep(deadline)

    def begin(self, operation: Operation) -> None:
        self.session.begin(operation.seq)

    def invoke(self, operation: Operation) -> Program:
        self._operation = operation
        arguments = () if operation.value is None else (operation.value,)
        try:
            return (yield from getattr(self._stub, operation.f)(*arguments))
        finally:
            self.session.end(operation.seq)

    def _invoke(self, procedure: Procedure, arguments: tuple[Any, ...]) -> Program:
        """What the stub's methods do; called before anything else can begin another operation."""
        call = Call(self._operation.seq, self._operation.intent, procedure, arguments)
        self.session.open[call.seq] = call
        return self._attempts(call, self._operation.waited)

    def finish(self) -> Program:
        self._finished = True
        for call in list(self.session.open.values()):
            yield Put(call.mailbox, Finish())

    def close(self) -> Program:
        return self._lines.close()

    # Attempts

    def _attempts(self, call: Call, waited: bool) -> Program:
        if waited:
            yield from self._lines.look()
        if self._finished:  # since it began: nobody has told it
            yield Put(call.mailbox, Finish())
        while True:
            call.attempt += 1
            call.connection = 0
            wait = yield from self._wait(call.attempt)
            self._lines.note(Kind.ATTEMPT, call, {"wait": wait})
            yield from self.reports.tell("attempt", call.seq, self.session.client)
            now = yield Now()
            deadline = now + wait
            line = yield from self._lines.connected(call, deadline)
            if line is not None:
                yield from self._send(call, line, deadline)
            elif self.retry.spent(call.attempt):
                return call.given_up("no connection")
            end = yield from self._await(call, deadline)
            if end is not None:
                return end

    def _wait(self, attempt: int) -> Program:
        draw = yield Random()
        return self.retry.wait(attempt, draw)

    def _await(self, call: Call, deadline: int) -> Program:
        """-> Outcome, or None when the next attempt is due."""
        last = self.retry.spent(call.attempt)
        while True:
            try:
                item = yield Get(call.mailbox, deadline)
            except TimeoutError:
                yield from self._timed_out(call)
                return call.given_up("no reply") if last else None
            if isinstance(item, Finish):
                return call.given_up("no reply when settling ended")
            if isinstance(item, Ended):
                if last and item.connection == call.connection:
                    return call.given_up("the connection ended")
            elif (end := outcome(item)) is not None:
                return end

    def _timed_out(self, call: Call) -> Program:
        line = self._lines.line
        if not self._connected or self.retry.same_connection or line is None:
            return
        if line.connection == call.connection:
            yield from self._lines.end(line, "timeout")

    def _send(self, call: Call, line: Line, deadline: int) -> Program:
        header = self._record(call, line)
        yield from self._hand(self._lines.encode(call, header), line, deadline)
        self.witness.passage("after-send", self.session.client, call.seq, call.attempt)

    def _record(self, call: Call, line: Line) -> CallHeader:
        """Before a byte of it moves."""
        call.connection = line.connection
        call.bind(self.session.binding())
        header = self.session.header(call)
        detail: dict[str, object] = {"connection": line.connection, "server": header.server, "first": header.first}
        self._lines.note(Kind.SEND, call, detail)
        self.witness.passage("before-send", self.session.client, call.seq, call.attempt)
        return header

    def _hand(self, data: bytes, line: Line, deadline: int) -> Program:
        """A datagram that finds no room until the attempt's deadline is as lost as any: nothing has ended."""
        try:
            yield from line.send(data, deadline)
        except OSError as error:
            if self._connected or not isinstance(error, TimeoutError):
                yield from self._lines.end(line, describe(error))
