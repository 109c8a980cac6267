"""A socket server whose peers do not read, or send what is no message, serves the others and bounds what it keeps."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sim_programs import MILLISECOND
from witnessing import Witnessing

from nodes import engines, ops
from nodes.memory_ledger import MemoryFile, MemoryLedger
from nodes.rpc import peers as answering
from nodes.rpc.interface import skeleton
from nodes.rpc.peers import Outbox, Room
from nodes.rpc.semantics import Identity, mechanism
from nodes.services.echo import ECHO, Echo
from nodes.sockets.endpoint import CountingCodec, SocketEndpoint
from nodes.wire.addresses import UnixPath
from nodes.wire.messages import encode
from nodes.wire.record import Kind

GUARD = 20_000
CLIENT = 10101


def here(transport: str) -> list[str]:
    able = (name for name in engines.NAMES if engines.availability(name) is None)
    return [name for name in able if transport in engines.offer(name).transports]


class Server(Witnessing):
    """Of messages that come whole or not at all."""

    def __init__(self, yields: int = 0) -> None:
        super().__init__()
        identity = Identity(11, MemoryLedger(MemoryFile(), 1, lambda: 22).history_id, 60_000)
        policy = mechanism("maybe", None, identity, (), lambda client, mark: None)
        codec = CountingCodec("datagrams", ECHO)
        self.endpoint = SocketEndpoint(
            "client -> server", codec, skeleton(ECHO, Echo({})), policy, identity, self, variant=None, yields=yields
        )

    @property
    def broken(self) -> list[str]:
        return [noted.detail["reason"] for noted in self.of(Kind.BROKEN)]


def run(engine: str, program: ops.Program) -> Any:
    return engines.create(engine, lambda _: 0, lambda: 0.5).run(program)


def until(condition: Callable[[], Any]) -> Generator[Any, Any, Any]:
    """What it says, once it says something."""
    deadline = (yield ops.Now()) + GUARD * MILLISECOND
    while not (said := condition()):
        now = yield ops.Now()
        assert now < deadline
        yield ops.Sleep(now + MILLISECOND)
    return said


def sending(peer: socket.socket, data: bytes) -> Callable[[], bool]:
    """Whether it has gone."""

    def send() -> bool:
        try:
            peer.send(data)
        except BlockingIOError:
            return False
        return True

    return send


def receiving(peer: socket.socket) -> Callable[[], bytes]:
    def receive() -> bytes:
        try:
            return peer.recv(1000)
        except BlockingIOError:
            return b""

    return receive


@pytest.fixture
def peers() -> Iterator[Callable[[int], socket.socket]]:
    made: list[socket.socket] = []

    def peer(kind: int) -> socket.socket:
        made.append(socket.socket(socket.AF_UNIX, kind))
        made[-1].setblocking(False)
        return made[-1]

    yield peer
    for one in made:
        one.close()


@pytest.mark.parametrize("engine", here("unix-datagram"))
def test_who_has_no_room_for_its_echoes_loses_them_and_keeps_nobody_waiting(
    engine: str, tmp_path: Path, peers: Callable[[int], socket.socket]
) -> None:
    server = Server()
    full, other = peers(socket.SOCK_DGRAM), peers(socket.SOCK_DGRAM)

    def main() -> Generator[Any, Any, bytes]:
        at = str(tmp_path / "server")
        bound = yield ops.Bind(UnixPath(at))
        yield ops.Spawn(server.endpoint.datagrams(bound))
        for name, peer in (("full", full), ("other", other)):
            peer.bind(str(tmp_path / name))
            peer.connect(at)
        for seq in range(1, 60):
            yield from until(sending(full, encode(CLIENT, seq, b"unread")))
        yield from until(sending(other, encode(CLIENT + 100, 1, b"read")))
        return (yield from until(receiving(other)))

    assert run(engine, main()) == encode(CLIENT + 100, 1, b"read")
    assert len(server.of(Kind.ANSWER)) == 60


@pytest.mark.parametrize("engine", here("unix-seqpacket"))
def test_what_is_no_message_is_on_record_and_its_connection_goes_on(
    engine: str, tmp_path: Path, peers: Callable[[int], socket.socket]
) -> None:
    server, peer = Server(), peers(socket.SOCK_SEQPACKET)

    def main() -> Generator[Any, Any, bytes]:
        at = str(tmp_path / "server")
        listener = yield ops.Listen(UnixPath(at), bounded=True)
        yield ops.Spawn(server.endpoint.accept(listener, bounded=True))
        peer.connect(at)
        for message in (b"", encode(CLIENT, 1, bytes(100_000)), encode(CLIENT, 2, b"good")):
            yield from until(sending(peer, message))
        return (yield from until(receiving(peer)))

    assert run(engine, main()) == encode(CLIENT, 2, b"good")
    if engines.offer(engine).shared:
        assert server.broken == ["a message of no bytes", "a message longer than 65536 bytes"]


@pytest.mark.parametrize("engine", here("unix-datagram"))
def test_a_datagram_that_was_cut_is_none(engine: str, tmp_path: Path, peers: Callable[[int], socket.socket]) -> None:
    server, peer = Server(), peers(socket.SOCK_DGRAM)

    def main() -> Generator[Any, Any, bytes]:
        at = str(tmp_path / "server")
        yield ops.Spawn(server.endpoint.datagrams((yield ops.Bind(UnixPath(at)))))
        peer.bind(str(tmp_path / "peer"))
        peer.connect(at)
        for message in (encode(CLIENT, 1, bytes(100_000)), encode(CLIENT, 2, b"good")):
            yield from until(sending(peer, message))
        return (yield from until(receiving(peer)))

    assert run(engine, main()) == encode(CLIENT, 2, b"good")
    assert server.broken == ["a message longer than 65536 bytes"]


@pytest.mark.parametrize("engine", here("unix-seqpacket"))
def test_who_asks_for_more_than_there_is_room_for_is_not_read(
    engine: str, tmp_path: Path, peers: Callable[[int], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its calls take longer than the test."""
    if not engines.offer(engine).shared:
        pytest.skip(f"engine {engine}: its connections are processes, whose calls are not counted here")
    monkeypatch.setattr(answering, "MOST", 5)
    server, peer = Server(yields=60_000), peers(socket.SOCK_SEQPACKET)
    sent = 0

    def main() -> Generator[Any, Any, int]:
        nonlocal sent
        at = str(tmp_path / "server")
        listener = yield ops.Listen(UnixPath(at), bounded=True)
        yield ops.Spawn(server.endpoint.accept(listener, bounded=True))
        peer.connect(at)
        while sending(peer, encode(CLIENT, sent + 1, b"more"))():
            sent += 1
            yield ops.Sleep((yield ops.Now()))
        return server.endpoint.executing

    assert run(engine, main()) == 5
    assert sent > 50, "the rest is in the kernel"


def collected(program: ops.Program, said: list[Any]) -> Any:
    """Until it ends, or waits: what it yields goes to `said`."""
    try:
        while True:
            said.append(next(program))
            if isinstance(said[-1], ops.Get):
                return program
    except StopIteration:
        return None


def test_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST", 2)
    room, said = Room(), list[Any]()
    room.take()
    assert not room.full
    assert collected(room.wait(), said) is None
    room.take()
    waiting = collected(room.wait(), said)
    assert isinstance(said.pop(), ops.Get)
    assert collected(room.give(), said) is None
    assert isinstance(said.pop(), ops.Put)
    with pytest.raises(StopIteration):
        waiting.send(None)
    assert collected(room.give(), said) is None
    assert said == [], "nobody waits"


def test_an_outbox_sends_in_turn_and_holds_who_would_make_it_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST", 1)
    outbox, taken = Outbox(), ops.Socket()
    first, second, third = (ops.Send(taken, bytes([number])) for number in range(3))
    sending, said = outbox.send(first), list[Any]()
    assert next(sending) is first
    assert collected(outbox.send(second), said) is None
    held = collected(outbox.send(third), said)
    assert isinstance(said.pop(), ops.Get)
    assert isinstance(sending.throw(OSError()), ops.Put), "there is room for the third"
    with pytest.raises(StopIteration):
        held.send(None)
    assert sending.send(None) is second
    assert sending.send(None) is third
    with pytest.raises(StopIteration):
        sending.send(None)
