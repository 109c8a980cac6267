"""What each kind of crowd does to a server, in a world without one's accidents."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from sim_programs import MILLISECOND, PORT, pause, world
from witnessing import Witnessing

from nodes import ops
from nodes.crowd import AGAIN, AHEAD, AT_ONCE, BEHAVIOURS, GATHERING, LACKING, LARGE, Crowd, Questions
from nodes.rpc.codecs import codec
from nodes.services.echo import ECHO
from nodes.sockets.codec import SocketCodec
from nodes.wire.addresses import IPv4
from nodes.wire.record import Kind

SIZE = 3
PLAIN = Questions(codec("xdr", ECHO), ECHO.procedures[0], plainly=True)


class Bench:
    """A server that tells what each of its connections was, and a crowd that is there for `lasts` milliseconds."""

    def __init__(
        self, behaviour: str, serve: Callable[[ops.Socket], ops.Program], lasts: int = 100, *, serves: bool = True
    ) -> None:
        self.connections: list[tuple[bytes, str]] = []
        """What each sent, and how it ended."""
        self.witness = Witnessing()
        self.gathered = 0
        self._serve_one = serve
        rule = {"index": 7, "crowd": behaviour, "connections": SIZE}
        self.crowd = Crowd(rule, IPv4("server", PORT), PLAIN, self.witness)
        with world() as made:
            made.host("server").spawn(self._serve() if serves else pause(1))
            made.host("client").spawn(self._gather_for(lasts))
            made.run(pause(1_000), made.host("main"))

    @property
    def rules(self) -> list[dict[str, Any] | None]:
        return [noted.detail for noted in self.witness.of(Kind.RULE)]

    @property
    def told(self) -> dict[str, Any]:
        """What it says of itself in the end, just before it is off."""
        crowd, off = self.witness.notes[-2:]
        assert (crowd.kind, off.kind) == (Kind.CROWD, Kind.RULE)
        assert crowd.detail is not None
        return crowd.detail

    def _serve(self) -> ops.Program:
        listener = yield ops.Listen(IPv4("server", PORT))
        while True:
            socket = yield ops.Accept(listener)
            yield ops.Spawn(self._connection(socket), "connection")

    def _connection(self, socket: ops.Socket) -> ops.Program:
        place = len(self.connections)
        self.connections.append((b"", "open"))
        came, end = b"", "end of file"
        try:
            yield from self._serve_one(socket)
            while data := (yield ops.Recv(socket, 65_536)):
                came += data
                self.connections[place] = came, "open"
                yield ops.Send(socket, data)
        except OSError as error:
            end = type(error).__name__
        self.connections[place] = came, end
        yield ops.Close(socket)

    def _gather_for(self, lasts: int) -> ops.Program:
        yield from pause(1)
        begun = yield ops.Now()
        yield from self.crowd.switch(True)
        self.gathered = (yield ops.Now()) - begun
        yield from pause(lasts)
        yield from self.crowd.switch(False)


def nothing(_: ops.Socket) -> ops.Program:
    yield from ()


def sent_away(socket: ops.Socket) -> ops.Program:
    yield ops.Close(socket)


def test_the_silent_say_nothing_and_leave_without_a_word() -> None:
    bench = Bench("silent", nothing)
    assert bench.connections == [(b"", "ConnectionResetError")] * SIZE
    assert bench.rules == [{"rule": 7, "active": True}, {"rule": 7, "active": False}]
    assert bench.told == {"rule": 7, "connected": SIZE, "most": SIZE, "refused": 0, "lacking": 0}
    assert bench.gathered < GATHERING


def test_half_a_request_is_no_request() -> None:
    bench = Bench("half", nothing)
    whole = PLAIN.one(8)
    assert bench.connections == [(whole[: len(whole) // 2], "ConnectionResetError")] * SIZE


def test_the_flood_asks_without_waiting_and_reads() -> None:
    """By hand: in the simulator whoever sends without an end lets no time pass."""
    program = BEHAVIOURS["flood"](ops.Socket(), PLAIN)
    reading = next(program)
    assert isinstance(reading, ops.Spawn)
    assert isinstance(next(reading.program), ops.Recv)
    sent = 0
    while isinstance(sending := program.send(None), ops.Send):
        assert sending.data == PLAIN.one(8) * AT_ONCE
        sent += AT_ONCE
    assert sent == AHEAD + AT_ONCE
    assert isinstance(sending, ops.Get)
    one = PLAIN.answered(8)
    assert isinstance(program.send((AT_ONCE - 1) * one), ops.Get), "too many are unanswered still"
    assert isinstance(program.send(one), ops.Send)


def test_the_flood_reads_until_the_end_of_its_connection() -> None:
    reading = next(BEHAVIOURS["flood"](ops.Socket(), PLAIN)).program
    next(reading)
    came = reading.send(b"an answer")
    assert (type(came), came.item) == (ops.Put, len(b"an answer"))
    assert isinstance(reading.send(None), ops.Recv)
    last = reading.throw(ConnectionResetError())
    assert isinstance(last, ops.Put)
    assert last.item > AHEAD * PLAIN.answered(8)
    with pytest.raises(StopIteration):
        reading.send(None)


@pytest.mark.parametrize("name", ["xdr", "msgpack"])
def test_an_answers_size_is_known(name: str) -> None:
    spoken = codec(name, ECHO)
    questions = Questions(spoken, ECHO.procedures[0], plainly=True)
    (asked,) = spoken.stream().feed(questions.one(8))
    call = spoken.decode_call(asked)
    assert call.procedure is not None
    answer = spoken.wrap(spoken.encode_reply(call.xid, call.procedure, call.header, call.arguments[0]))
    assert len(answer) == questions.answered(8)


def test_who_reads_nothing_asks_all_the_time() -> None:
    program = BEHAVIOURS["unread"](ops.Socket(), PLAIN)
    for sending in (next(program), program.send(None), program.send(None)):
        assert isinstance(sending, ops.Send)
        assert sending.data == PLAIN.one(LARGE)


def test_others_take_the_places_of_those_that_reset() -> None:
    bench = Bench("resets", nothing)
    assert len(bench.connections) > 3 * SIZE
    assert {end for _, end in bench.connections} == {"ConnectionResetError"}
    assert bench.told["connected"] == len(bench.connections)
    assert 1 <= bench.told["most"] <= SIZE


def test_who_is_sent_away_comes_again() -> None:
    bench = Bench("silent", sent_away)
    assert len(bench.connections) > 3 * SIZE


def test_who_finds_nobody_comes_again_and_is_counted() -> None:
    bench = Bench("silent", nothing, serves=False)
    assert (bench.told["connected"], bench.told["most"], bench.told["lacking"]) == (0, 0, 0)
    assert SIZE * 3 < bench.told["refused"] <= SIZE * (1 + 100 * MILLISECOND // AGAIN)


def test_nobody_comes_once_it_is_over() -> None:
    bench = Bench("resets", nothing, lasts=50)
    longer = Bench("resets", nothing, lasts=100)
    assert len(longer.connections) > len(bench.connections)


def test_who_is_on_the_way_when_it_ends_is_waited_for() -> None:
    """By hand: one connects, and is let in after the others were told to leave."""
    witness = Witnessing()
    crowd = Crowd({"index": 7, "crowd": "silent", "connections": 1}, IPv4("server", PORT), PLAIN, witness)
    gathering = crowd.switch(True)
    spawned = next(gathering)
    assert isinstance(spawned, ops.Spawn)
    member = spawned.program
    assert isinstance(next(member), ops.Now)
    assert isinstance(member.send(0), ops.Connect)
    leaving = crowd.switch(False)
    assert isinstance(next(leaving), ops.Get)
    closed = member.send(ops.Socket())
    assert (type(closed), closed.reset) == (ops.Close, True)
    assert isinstance(member.send(None), ops.Put)
    over = member.send(None)
    assert isinstance(over, ops.Put)
    assert not [noted for noted in witness.notes if noted.detail == {"rule": 7, "active": False}]
    with pytest.raises(StopIteration):
        leaving.send(over.item)
    assert witness.notes[-1].detail == {"rule": 7, "active": False}
    assert witness.notes[-2].detail == {"rule": 7, "connected": 1, "most": 0, "refused": 0, "lacking": 0}


@pytest.mark.parametrize(("error", "key"), [(errno.EMFILE, "lacking"), (errno.ECONNREFUSED, "refused")])
def test_whose_descriptors_are_spent_is_told(error: int, key: str) -> None:
    crowd = Crowd({"index": 7, "crowd": "silent", "connections": 1}, IPv4("server", PORT), PLAIN, Witnessing())
    member = next(crowd.switch(True)).program
    next(member)
    member.send(0)
    assert isinstance(member.throw(OSError(error, "none")), ops.Put)
    assert isinstance(member.send(None), ops.Now)
    waiting = member.send(0)
    assert (type(waiting), waiting.until) == (ops.Sleep, LACKING if key == "lacking" else AGAIN)
    with pytest.raises(StopIteration):
        crowd.switch(False).send(None)
    assert vars(crowd._counts)[key] == 1


def test_a_large_flood_is_no_further_ahead_than_a_small_one() -> None:
    def ahead(members: int) -> int:
        return Questions(codec("xdr", ECHO), ECHO.procedures[0], plainly=True, members=members).ahead

    assert [ahead(1), ahead(2), ahead(128), ahead(4096)] == [AHEAD, AHEAD // 2, AT_ONCE, AT_ONCE]


@pytest.mark.parametrize("protocol", ["lines", "lengths"])
def test_half_a_message_of_a_protocol_is_none(protocol: str) -> None:
    spoken = SocketCodec(protocol, ECHO)
    questions = Questions(spoken, ECHO.procedures[0], plainly=False)
    assert questions.half
    assert list(spoken.stream().feed(questions.half)) == []
    assert len(list(spoken.stream().feed(questions.one(8)))) == 1
