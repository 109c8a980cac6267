"""PURE: the driver that calls our own servers: programs that send attempts, wait, and send again.

One driver serves one client process. It has at most one line (a connection, or a datagram socket) at a time;
a reader program delivers replies to the mailboxes of the calls that wait, so that a reply is seen whenever it
arrives, wanted or not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nodes.drivers import Operation
from nodes.ops import (
    Address,
    Bind,
    Close,
    Connect,
    Get,
    Now,
    Program,
    Put,
    Queue,
    Random,
    Recv,
    RecvFrom,
    Send,
    SendTo,
    Sleep,
    Socket,
    Spawn,
)
from nodes.reports import Reports
from nodes.rpc.calls import Call, End, Outcome, Sent, Session, outcome
from nodes.rpc.codecs import Codec, Reply
from nodes.rpc.interface import HELLO, Interface, Procedure, stub
from nodes.rpc.retry import Retry
from nodes.rpc.serve import READ_SIZE
from nodes.wire.addresses import internet
from nodes.wire.errors import WireError, unforeseen, whole
from nodes.wire.header import CallHeader
from nodes.wire.record import Kind, Witness
from nodes.wire.transports import TRANSPORTS


class Ended(NamedTuple):
    """A line ended; in a mailbox of a call that was open on it."""

    connection: int


class Finish(NamedTuple):
    """Settling is over; in every open mailbox."""


class Line:
    """What calls are sent on: a connection, or a UDP socket with its `target`.

    The calls that share it take turns, for one send may be outstanding on a socket.
    """

    __slots__ = ("_target", "_turn", "alive", "connection", "socket")

    def __init__(self, socket: Socket, connection: int, target: Address | None = None) -> None:
        self.socket = socket
        self.connection = connection
        self.alive = True
        self._target = target
        self._turn = Mutex()

    def send(self, data: bytes) -> Program:
        yield from self._turn.take()
        try:
            yield Send(self.socket, data) if self._target is None else SendTo(self.socket, data, self._target)
        finally:
            yield from self._turn.give()


class Mutex:
    """For what only one program at a time may do across yields. It is taken without a yield when free."""

    __slots__ = ("_queue", "_taken", "_waiting")

    def __init__(self) -> None:
        self._queue = Queue()
        self._taken = False
        self._waiting = 0

    def take(self) -> Program:
        if not self._taken:
            self._taken = True
            return
        self._waiting += 1
        yield Get(self._queue)

    def give(self) -> Program:
        if not self._waiting:
            self._taken = False
            return
        self._waiting -= 1
        yield Put(self._queue, None)


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
        self._stub = stub(interface, self._invoke)
        self._operation = Operation(0, 0, "", None)
        self.codec = codec
        self._transport = TRANSPORTS[transport]
        self.target = target
        self.local = local
        self.retry = retry
        self.witness = witness
        self.reports = reports
        self.process = process
        self._line: Line | None = None
        self._connecting = Mutex()
        self._greetings = Queue()
        self._greeted: set[int] = set()
        self._sent = Sent(session.open)
        self._finished = False

    # The driver seam

    def open(self) -> Program:
        """Say hello until it is answered, with the same backoff as calls."""
        attempt = 0
        while not self._finished and not self.session.greeted:
            attempt += 1
            wait = yield from self._wait(attempt)
            now = yield Now()
            deadline = now + wait
            yield from self._connected(None, deadline)
            if not self.session.greeted:
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
        return self._attempts(call)

    def finish(self) -> Program:
        self._finished = True
        for call in list(self.session.open.values()):
            yield Put(call.mailbox, Finish())

    def close(self) -> Program:
        if self._line is not None:
            self._line.alive = False
            yield Close(self._line.socket)

    # Attempts

    def _attempts(self, call: Call) -> Program:
        if self._finished:  # since it began: nobody has told it
            yield Put(call.mailbox, Finish())
        while True:
            call.attempt += 1
            call.connection = 0
            wait = yield from self._wait(call.attempt)
            self._note(Kind.ATTEMPT, call, {"wait": wait})
            yield from self.reports.tell("attempt", call.seq, self.session.client)
            now = yield Now()
            deadline = now + wait
            line = yield from self._connected(call, deadline)
            if line is not None:
                yield from self._send(call, line)
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
        line = self._line
        if not self._transport.connected or self.retry.same_connection or line is None:
            return
        if line.connection == call.connection:
            yield from self._end(line, "timeout")

    def _send(self, call: Call, line: Line) -> Program:
        call.connection = line.connection
        call.bind(self.session.binding())
        header = self.session.header(call)
        data = self._encode(call, header)
        self._note(Kind.SEND, call, {"connection": line.connection, "server": header.server, "first": header.first})
        self.witness.passage("before-send", self.session.client, call.seq, call.attempt)
        try:
            yield from line.send(data)
        except OSError as error:
            yield from self._end(line, describe(error))
        self.witness.passage("after-send", self.session.client, call.seq, call.attempt)

    def _encode(self, call: Call, header: CallHeader) -> bytes:
        data = self.codec.encode_call(self._sent.add(call), call.procedure, header, call.arguments)
        return data if self._transport.bounded else self.codec.wrap(data)

    def _procedure(self, xid: int) -> Procedure | None:
        call = self._sent.get(xid)
        return call.procedure if call else None

    # Lines and hello

    def _connected(self, call: Call | None, deadline: int) -> Program:
        """-> a live line on which hello was said if it was due, or None (which is journalled)."""
        bound = call is not None and call.handed
        line: Line | None = None
        while line is None or not line.alive:  # it may end while the next call is given its turn to connect
            line = self._line
            if line is not None and line.alive and (bound or self.session.greeted):
                return line
            yield from self._connecting.take()
            try:
                line = yield from self._connect_and_greet(bound, deadline)
            except OSError as error:
                self.session.greeted = False
                if call is not None:
                    self._note(Kind.UNCONNECTED, call, {"error": describe(error)})
                line = None
            yield from self._connecting.give()
            if line is None:
                return None
        return line

    def _connect_and_greet(self, bound: bool, deadline: int) -> Program:
        line = self._line
        if line is None or not line.alive:
            line = yield from self._connect(deadline)
            self._line = line
        if not bound and not self.session.greeted:
            yield from self._greet(line, deadline)
        return line

    def _connect(self, deadline: int) -> Program:
        self.session.numbers.lines += 1
        number = self.session.numbers.lines
        if self._transport.connected:
            socket = yield Connect(self.target, deadline)
            line = Line(socket, number)
            yield Spawn(self._read_stream(line), "reader")
        else:
            socket = yield Bind(internet(self.local, 0))
            line = Line(socket, number, self.target)
            yield Spawn(self._read_datagrams(line), "reader")
        return line

    def _greet(self, line: Line, deadline: int) -> Program:
        """Raises OSError when hello got no answer by the deadline, or not one of our servers'."""
        call = Call(0, 0, HELLO, ())
        self._greetings = call.mailbox
        self.session.numbers.hellos += 1
        attempt = self.session.numbers.hellos
        header = CallHeader(self.session.client, 0, attempt, 0, 0, 0)
        yield from line.send(self._encode(call, header))
        answer = yield Get(self._greetings, deadline)
        if isinstance(answer, Ended):
            raise ConnectionResetError("the connection ended before hello was answered")
        if answer.header is None:
            raise ConnectionRefusedError(f"hello was answered without a header: {answer.error}")

    def _end(self, line: Line, error: str) -> Program:
        """A line ended, or this side ends it: everybody who had an attempt open on it is told once."""
        if not line.alive:
            return
        line.alive = False
        if error != "timeout":  # a slow server is not a failed connection
            self.session.greeted = False
        told = [call for call in self.session.open.values() if call.connection == line.connection]
        for call in told:  # in one step: where programs run side by side, one may go on to its next attempt meanwhile
            self._note(Kind.END, call, {"connection": line.connection, "error": error})
        yield Close(line.socket)
        yield Put(self._greetings, Ended(line.connection))
        for call in told:
            yield Put(call.mailbox, Ended(line.connection))

    # Readers

    def _read_stream(self, line: Line) -> Program:
        splitter = self.codec.stream()
        recv = Recv(line.socket, READ_SIZE)
        error = "end of file"
        try:
            while data := (yield recv):
                for message in whole(splitter.feed, data):
                    yield from self._deliver(message, line)
        except WireError as broken:
            error = str(broken)
            self._note_broken(error, 0, line)
        except OSError as failure:
            error = describe(failure)
        yield from self._end(line, error)

    def _read_datagrams(self, line: Line) -> Program:
        recv = RecvFrom(line.socket, READ_SIZE)
        while True:
            try:
                data, _ = yield recv
            except OSError as failure:
                yield from self._end(line, describe(failure))
                return
            try:
                yield from self._deliver(data, line)
            except WireError as broken:
                self._note_broken(str(broken), len(data), line)

    def _deliver(self, message: bytes, line: Line) -> Program:
        try:
            reply: Reply = self.codec.decode_reply(message, self._procedure)
        except Exception as error:
            raise unforeseen(error) from error
        header = reply.header
        if header is None:
            yield from self._deliver_bare(reply, len(message), line)
            return
        if header.client != self.session.client:
            raise WireError("a reply to somebody else")
        self.witness.note(
            Kind.REPLY,
            header.client,
            header.seq,
            header.attempt,
            self.process,
            {"status": int(header.status), "value": reply.value, "connection": line.connection},
        )
        self.witness.passage("received", header.client, header.seq, header.attempt)
        self.session.learn(header)
        if header.seq == 0 and header.attempt not in self._greeted:
            self._greeted.add(header.attempt)  # whoever said it may have stopped waiting, but it is what is known
            detail = {"incarnation": header.incarnation, "history": header.history, "lease": header.lease}
            self.witness.note(Kind.SESSION, self.session.client, 0, header.attempt, self.process, detail)
        call = self.session.open.get(header.seq)
        if header.seq == 0:
            yield Put(self._greetings, reply)
        elif call is not None:
            yield Put(call.mailbox, reply)

    def _deliver_bare(self, reply: Reply, size: int, line: Line) -> Program:
        """A server that did not take the message for a call of ours says nothing but what it answers to."""
        call = self._sent.get(reply.xid)
        if call is None:
            raise WireError("a reply to somebody else")
        self._note_broken(f"a reply without a header: {reply.error or 'a result'}", size, line)
        yield Put(call.mailbox, reply)

    def _note(self, kind: Kind, call: Call, detail: dict[str, object] | None = None) -> None:
        self.witness.note(kind, self.session.client, call.seq, call.attempt, self.process, detail)

    def _note_broken(self, reason: str, size: int, line: Line) -> None:
        detail = {"reason": reason, "size": size, "connection": line.connection}
        self.witness.note(Kind.BROKEN, self.session.client, 0, 0, self.process, detail)


def describe(error: OSError) -> str:
    """A short, stable text: the kind of error, which does not vary with addresses."""
    return type(error).__name__


__all__ = ["End", "Outcome", "RpcDriver"]
