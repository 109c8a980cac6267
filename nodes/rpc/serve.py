"""PURE: the programs of a server's endpoint: receive copies of calls, let the mechanism decide, execute, answer.

A procedure runs inside its connection's program for as long as it only commits; as soon as it waits for
anything it goes on in a task of its own, so that further copies are received while it executes.
"""

from __future__ import annotations

from typing import Any

from nodes.accepting import accept
from nodes.ops import (
    Close,
    Commit,
    Exhausted,
    HasEnded,
    Now,
    Program,
    Recv,
    RecvFrom,
    Sleep,
    Socket,
    Spawn,
    Task,
    Transaction,
)
from nodes.rpc.codecs import Call, Codec
from nodes.rpc.interface import Skeleton
from nodes.rpc.mechanism import Do, Mechanism, Waiter
from nodes.rpc.peers import DatagramPeer, Outbox, Peer, Room, StreamPeer
from nodes.rpc.semantics import Identity
from nodes.rpc.transactions import transactions
from nodes.samples import Tally
from nodes.units import MILLISECOND
from nodes.wire.errors import WireError, unforeseen, whole
from nodes.wire.header import CallHeader, ReplyHeader, Status
from nodes.wire.record import Kind, Witness

READ_SIZE = 65536
"""Bytes that are read at a time; a message that comes whole or not at all has no more."""


class Ending:
    """Tasks that end some time: those that have are forgotten, now and then."""

    __slots__ = ("_enough", "_tasks")

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._enough = 1

    def add(self, task: Task) -> None:
        self._tasks.append(task)
        if len(self._tasks) > self._enough:
            self._enough = 2 * self.count() + 1

    def count(self) -> int:
        """Of those that have not ended."""
        self._tasks = [task for task in self._tasks if not task.done]
        return len(self._tasks)


class Endpoint:
    """One link's server side. The counters are what a `status` command reports."""

    def __init__(
        self,
        link: str,
        codec: Codec,
        skeleton: Skeleton,
        mechanism: Mechanism,
        identity: Identity,
        witness: Witness,
        *,
        variant: str | None,
        yields: int,
        tally: Tally | None = None,
    ) -> None:
        self.link = link
        self.codec = codec
        self.skeleton = skeleton
        self.mechanism = mechanism
        self.identity = identity
        self.witness = witness
        self.variant = variant
        self.yields = yields
        self.tally = tally or Tally()
        self.received = 0
        self.broken = 0
        self.executing = 0
        self._streams = Ending()
        self._ordinal = 0
        self._unnumbered = 0

    def accept(self, listener: Socket, *, bounded: bool = False, accepts_on: bool = False) -> Program:
        """Serve every connection until the listener is closed; one that there is no thread for is closed. `bounded`:
        messages come whole or not at all. `accepts_on`: as of `nodes.accepting.accept`."""
        while True:
            try:
                socket = yield from accept(listener, self.tally, accepts_on=accepts_on)
            except OSError:
                return
            self.tally.accept(socket)
            self._ordinal += 1
            peer = StreamPeer(socket, self._ordinal, self.codec.wrap)
            try:
                self._streams.add(
                    (yield Spawn(self._stream(peer, bounded), f"connection {self._ordinal}", connection=socket))
                )
            except Exhausted:
                yield Close(socket)

    @property
    def connections(self) -> int:
        """Those that are served, whoever's process serves them."""
        return self._streams.count()

    def _stream(self, peer: StreamPeer, bounded: bool) -> Program:
        splitter = self.codec.stream()
        recv, room = Recv(peer.socket, READ_SIZE + bounded), peer.room
        self.tally.open(peer.outbox)
        try:
            while (data := (yield recv)) or (bounded and not (yield HasEnded(peer.socket))):
                if bounded and self._is_none(data, peer):
                    continue
                for message in whole(splitter.feed, data):
                    yield from self._message(message, peer)
                if room.full:
                    yield from room.wait()
        except WireError as error:
            self._note_broken(str(error), 0, peer)  # nothing to resynchronise by: the connection ends
        except OSError:
            pass
        yield Close(peer.socket)
        self.tally.close(peer.outbox)

    def datagrams(self, socket: Socket) -> Program:
        """Serve every datagram until the socket is closed."""
        recv = RecvFrom(socket, READ_SIZE + 1)
        outbox, room = Outbox(), Room()
        while True:
            try:
                data, address = yield recv
            except OSError:
                return
            peer = DatagramPeer(socket, outbox, room, address)
            if self._is_none(data, peer):
                continue
            try:
                yield from self._message(data, peer)
            except WireError as error:
                self._note_broken(str(error), len(data), peer)
            if room.full:
                yield from room.wait()

    def _is_none(self, data: bytes, peer: Peer) -> bool:
        """No bytes are no message, and more than READ_SIZE are a part of one: it is not known how much was cut off."""
        if 0 < len(data) <= READ_SIZE:
            return False
        long = f"longer than {READ_SIZE} bytes" if data else "of no bytes"
        self._note_broken(f"a message {long}", len(data), peer)
        return True

    def _note_broken(self, reason: str, size: int, peer: Peer) -> None:
        self.broken += 1
        self.witness.note(Kind.BROKEN, detail={"reason": reason, "size": size, "connection": peer.connection})

    def _message(self, data: bytes, peer: Peer) -> Program:
        try:
            call = self.codec.decode_call(data)
        except Exception as error:
            raise unforeseen(error) from error
        if call.problem is not None:
            self._note_broken(call.problem.name, len(data), peer)  # it was not received as anybody's call
            yield from peer.send(self.codec.encode_problem(call))
            return
        header = call.header or self._plain_header()
        client, seq, attempt, first, server, _ = header
        self.received += 1
        self.witness.note(
            Kind.RECEIVE,
            client,
            seq,
            attempt,
            0,
            self._receipt(peer, first, server),
        )
        self.witness.passage("received", client, seq, attempt)
        waiter = Waiter(header, call.xid, peer)
        if call.header is None:
            yield from self._execute(call, waiter)
        elif seq == 0:
            yield from self._hello(waiter, call)
        else:
            yield from self._arrive(waiter, call)

    def _receipt(self, peer: Peer, first: int, server: int) -> dict[str, Any]:
        """What is journalled of a copy."""
        return {"connection": peer.connection, "first": first, "server": server, "link": self.link}

    def _plain_header(self) -> CallHeader:
        """A call without a header is served as *maybe*, under client 0 and a number of our own."""
        self._unnumbered += 1
        return CallHeader(0, self._unnumbered, 1, 0, 0, 0)

    def _hello(self, waiter: Waiter, call: Call) -> Program:
        header = waiter.header
        self.mechanism.hello(header.client)
        record = self.mechanism.record(header, None)
        if record is not None:
            yield Commit(Transaction((header.client, 0, header.attempt), None, None, record))
        yield from self._answer(waiter, call, Status.EXECUTED, None)

    def _arrive(self, waiter: Waiter, call: Call) -> Program:
        arrival = self.mechanism.arrive(waiter)
        if arrival.do is Do.EXECUTE:
            yield from self._execute(call, waiter)
        elif arrival.do is Do.ANSWER:
            yield from self._answer(waiter, call, arrival.status, arrival.value)

    def _execute(self, call: Call, waiter: Waiter) -> Program:
        execution = Execution(self, call, waiter)
        execution.note_start()
        self.executing += 1
        assert call.procedure is not None
        procedure = self.skeleton.call(call.procedure, execution, call.arguments)
        try:
            operation = next(procedure)
            while operation.__class__ is Commit:
                operation = procedure.send((yield operation))
        except StopIteration as done:
            yield from self._finish(call, waiter, done.value)
        else:
            waiter.peer.room.take()
            yield Spawn(self._go_on(call, waiter, procedure, operation), "procedure")

    def _go_on(self, call: Call, waiter: Waiter, procedure: Program, operation: Any) -> Program:
        value = yield from resume(procedure, operation)
        yield from self._finish(call, waiter, value)
        yield from waiter.peer.room.give()

    def _finish(self, call: Call, waiter: Waiter, value: Any) -> Program:
        self.executing -= 1
        if call.header is None:
            assert call.procedure is not None
            yield from waiter.peer.send(self.codec.encode_reply(call.xid, call.procedure, None, value))
            return
        for waiting, status in self.mechanism.complete(waiter, value):
            yield from self._answer(waiting, call, status, value)

    def _answer(self, waiter: Waiter, call: Call, status: Status, value: Any) -> Program:
        client, seq, attempt, *_ = waiter.header
        header = ReplyHeader(client, seq, attempt, status, *self.identity)
        detail = {"status": int(status), "value": value, "connection": waiter.peer.connection}
        self.witness.note(Kind.ANSWER, client, seq, attempt, 0, detail)
        if status in WITHOUT_RESULT:
            data = self.codec.encode_error(waiter.xid, header, status.name.lower())
        else:
            assert call.procedure is not None
            data = self.codec.encode_reply(waiter.xid, call.procedure, header, value)
        self.witness.passage("before-send", client, seq, attempt)
        yield from waiter.peer.send(data)
        self.witness.passage("after-send", client, seq, attempt)


WITHOUT_RESULT = (Status.STALE, Status.REFUSED, Status.BUSY)


class Execution:
    """What a procedure sees of its call: it may pause in its middle, and it commits its effect."""

    __slots__ = ("_call", "_endpoint", "_header")

    def __init__(self, endpoint: Endpoint, call: Call, waiter: Waiter) -> None:
        self._endpoint = endpoint
        self._call = call
        self._header = waiter.header

    def note_start(self) -> None:
        header, call = self._header, self._call
        value = call.arguments[0] if call.arguments else None
        assert call.procedure is not None, "what cannot be executed is answered before"
        detail = {"intent": header.intent, "f": call.procedure.name, "value": value}
        self._endpoint.witness.note(Kind.EXECUTE, header.client, header.seq, header.attempt, 0, detail)

    def pause(self) -> Program:
        """Wait for as long as the scenario's `yields` says, so that others run while this executes."""
        if self._endpoint.yields:
            now = yield Now()
            yield Sleep(now + self._endpoint.yields * MILLISECOND)

    def commit(self, value: Any, state: dict[str, Any]) -> Program:
        """Make `state` durable together with the effect, and with the reply record where the mechanism has one."""
        endpoint, header = self._endpoint, self._header
        number = 0
        record = endpoint.mechanism.record(header, value) if self._call.header else None
        for transaction in transactions(endpoint.variant, header, state, value, record):
            number = max(number, (yield Commit(transaction)))
        endpoint.witness.note(Kind.COMMIT, header.client, header.seq, header.attempt, 0, {"n": number, "result": value})


def resume(program: Program, operation: Any) -> Program:
    """Go on with a program that was started elsewhere and now yields `operation`; returns its result."""
    try:
        while True:
            try:
                result = yield operation
            except BaseException as error:
                operation = program.throw(error)
            else:
                operation = program.send(result)
    except StopIteration as done:
        return done.value
