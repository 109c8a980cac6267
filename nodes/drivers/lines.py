"""PURE: what a driver's calls are sent on, from its connecting to its end, and what comes over it.

A driver has at most one line (a connection, or a datagram socket) at a time; a reader program delivers replies to the
mailboxes of the calls that wait, so that a reply is seen whenever it arrives, wanted or not.
"""

from __future__ import annotations

from typing import NamedTuple

from nodes.ops import (
    Address,
    Bind,
    Close,
    Connect,
    Get,
    HasEnded,
    Program,
    Put,
    Queue,
    Recv,
    RecvFrom,
    Send,
    SendTo,
    Socket,
    Spawn,
)
from nodes.rpc.calls import Call, Sent, Session
from nodes.rpc.codecs import Codec, Reply
from nodes.rpc.interface import HELLO, Procedure
from nodes.rpc.serve import READ_SIZE
from nodes.wire.addresses import UnixPath, internet
from nodes.wire.errors import WireError, unforeseen, whole
from nodes.wire.header import CallHeader
from nodes.wire.record import Kind, Witness
from nodes.wire.transports import Transport

END_OF_FILE = "end of file"


class Ended(NamedTuple):
    """A line ended; in a mailbox of a call that was open on it."""

    connection: int


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

    def send(self, data: bytes, deadline: int) -> Program:
        """A datagram that is not handed over by the deadline is withdrawn: TimeoutError. Of a stream nobody knows how
        much it took, and so it has no deadline."""
        operation: Send | SendTo = Send(self.socket, data)
        if self._target is not None:
            operation = SendTo(self.socket, data, self._target, deadline)
        yield from self._turn.take(operation.deadline)
        try:
            yield operation
        finally:
            yield from self._turn.give()


class Mutex:
    """For what only one program at a time may do across yields. It is taken without a yield when free.

    Who is given it in the moment in which its deadline passes leaves it in the queue, for whoever comes next.
    """

    __slots__ = ("_queue", "_taken", "_waiting")

    def __init__(self) -> None:
        self._queue = Queue()
        self._taken = False
        self._waiting = 0

    def take(self, deadline: int | None = None) -> Program:
        """Raises TimeoutError."""
        if not self._taken:
            self._taken = True
            return
        self._waiting += 1
        try:
            yield Get(self._queue, deadline)
        except TimeoutError:
            self._waiting -= 1
            raise

    def give(self) -> Program:
        if not self._waiting:
            self._taken = False
            return
        self._waiting -= 1
        yield Put(self._queue, None)


class Lines:
    """A client process's lines over one link, one after another; `line` is the latest, which may have ended."""

    def __init__(
        self,
        session: Session,
        codec: Codec,
        transport: Transport,
        target: Address,
        local: str,
        witness: Witness,
        process: int,
    ) -> None:
        self.line: Line | None = None
        self._session = session
        self._codec = codec
        self._transport = transport
        self._target = target
        self._local = local
        self._witness = witness
        self._process = process
        self._connecting = Mutex()
        self._greetings = Queue()
        self._greeted: set[int] = set()
        self._sent = Sent(session.open)

    def encode(self, call: Call, header: CallHeader) -> bytes:
        data = self._codec.encode_call(self._sent.add(call), call.procedure, header, call.arguments)
        return data if self._transport.bounded else self._codec.wrap(data)

    def note(self, kind: Kind, call: Call, detail: dict[str, object]) -> None:
        self._witness.note(kind, self._session.client, call.seq, call.attempt, self._process, detail)

    def close(self) -> Program:
        if self.line is not None:
            self.line.alive = False
            yield Close(self.line.socket)

    def look(self) -> Program:
        """A line whose end has come is one no more, even if its reader has not been told: threads run when they may."""
        line = self.line
        if line is None or not line.alive or not self._transport.connected:
            return
        try:
            ended = yield HasEnded(line.socket)
        except ConnectionAbortedError:  # closed since, where another loop has the socket
            return
        if ended:
            yield from self.end(line, END_OF_FILE)

    def connected(self, call: Call | None, deadline: int) -> Program:
        """-> a live line on which hello was said if it was due, or None (which is journalled)."""
        bound = call is not None and call.handed
        line: Line | None = None
        while line is None or not line.alive:  # it may end while the next call is given its turn to connect
            line = self.line
            if line is not None and line.alive and (bound or not self._session.owes_hello):
                return line
            try:
                yield from self._connecting.take(deadline)
            except TimeoutError as error:
                self._note_unconnected(call, error)
                return None
            try:
                line = yield from self._connect_and_greet(bound, deadline)
            except OSError as error:
                self._session.greeted = False
                self._note_unconnected(call, error)
                line = None
            yield from self._connecting.give()
            if line is None:
                return None
        return line

    def _note_unconnected(self, call: Call | None, error: OSError) -> None:
        if call is not None:
            self.note(Kind.UNCONNECTED, call, {"error": describe(error)})

    def _connect_and_greet(self, bound: bool, deadline: int) -> Program:
        line = self.line
        if line is None or not line.alive:
            line = yield from self._connect(deadline)
            self.line = line
        if not bound and self._session.owes_hello:
            yield from self._greet(line, deadline)
        return line

    def _connect(self, deadline: int) -> Program:
        self._session.numbers.lines += 1
        number = self._session.numbers.lines
        if self._transport.connected:
            socket = yield Connect(self._target, deadline, bounded=self._transport.bounded)
            line = Line(socket, number)
            yield Spawn(self._read_stream(line), "reader")
        else:
            socket = yield Bind(self._source(number))
            line = Line(socket, number, self._target)
            yield Spawn(self._read_datagrams(line), "reader")
        return line

    def _source(self, number: int) -> Address:
        """Where datagrams of a line come from, and are answered."""
        if isinstance(self._target, UnixPath):
            return self._target.beside(f"{self._session.client}-{number}")
        return internet(self._local, 0)

    def _greet(self, line: Line, deadline: int) -> Program:
        """Raises OSError when hello got no answer by the deadline, or not one of our servers'."""
        call = Call(0, 0, HELLO, ())
        self._greetings = call.mailbox
        self._session.numbers.hellos += 1
        attempt = self._session.numbers.hellos
        header = CallHeader(self._session.client, 0, attempt, 0, 0, 0)
        yield from line.send(self.encode(call, header), deadline)
        answer = yield Get(self._greetings, deadline)
        if isinstance(answer, Ended):
            raise ConnectionResetError("the connection ended before hello was answered")
        if answer.header is None:
            raise ConnectionRefusedError(f"hello was answered without a header: {answer.error}")

    def end(self, line: Line, error: str) -> Program:
        """A line ended, or this side ends it: everybody who had an attempt open on it is told once."""
        if not line.alive:
            return
        line.alive = False
        if error != "timeout":  # a slow server is not a failed connection
            self._session.greeted = False
        told = [call for call in self._session.open.values() if call.connection == line.connection]
        for call in told:  # in one step: where programs run side by side, one may go on to its next attempt meanwhile
            self.note(Kind.END, call, {"connection": line.connection, "error": error})
        yield Close(line.socket)
        yield Put(self._greetings, Ended(line.connection))
        for call in told:
            yield Put(call.mailbox, Ended(line.connection))

    # What comes

    def _procedure(self, xid: int) -> Procedure | None:
        call = self._sent.get(xid)
        return call.procedure if call else None

    def _read_stream(self, line: Line) -> Program:
        splitter = self._codec.stream()
        recv = Recv(line.socket, READ_SIZE)
        error = END_OF_FILE
        try:
            while data := (yield recv):
                for message in whole(splitter.feed, data):
                    yield from self._deliver(message, line)
        except WireError as broken:
            error = str(broken)
            self._note_broken(error, 0, line)
        except OSError as failure:
            error = describe(failure)
        yield from self.end(line, error)

    def _read_datagrams(self, line: Line) -> Program:
        recv = RecvFrom(line.socket, READ_SIZE)
        while True:
            try:
                data, _ = yield recv
            except OSError as failure:
                yield from self.end(line, describe(failure))
                return
            try:
                yield from self._deliver(data, line)
            except WireError as broken:
                self._note_broken(str(broken), len(data), line)

    def _deliver(self, message: bytes, line: Line) -> Program:
        try:
            reply: Reply = self._codec.decode_reply(message, self._procedure)
        except Exception as error:
            raise unforeseen(error) from error
        header = reply.header
        if header is None:
            yield from self._deliver_bare(reply, len(message), line)
            return
        if header.client != self._session.client:
            raise WireError("a reply to somebody else")
        self._witness.note(
            Kind.REPLY,
            header.client,
            header.seq,
            header.attempt,
            self._process,
            {"status": int(header.status), "value": reply.value, "connection": line.connection},
        )
        self._witness.passage("received", header.client, header.seq, header.attempt)
        self._session.learn(header)
        if header.seq == 0 and header.attempt not in self._greeted:
            self._greeted.add(header.attempt)  # whoever said it may have stopped waiting, but it is what is known
            detail = {"incarnation": header.incarnation, "history": header.history, "lease": header.lease}
            self._witness.note(Kind.SESSION, self._session.client, 0, header.attempt, self._process, detail)
        call = self._session.open.get(header.seq)
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

    def _note_broken(self, reason: str, size: int, line: Line) -> None:
        detail = {"reason": reason, "size": size, "connection": line.connection}
        self._witness.note(Kind.BROKEN, self._session.client, 0, 0, self._process, detail)


def describe(error: OSError) -> str:
    """A short, stable text: the kind of error, which does not vary with addresses."""
    return type(error).__name__
