"""A client's datagrams whose receiver makes no room: each attempt ends when its wait is over, and its line lives on."""

from __future__ import annotations

import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sim_programs import MILLISECOND, pause, world
from witnessing import Witnessing

from nodes import engines, ops
from nodes.drivers import Operation
from nodes.drivers.lines import Line, Mutex
from nodes.drivers.rpc import RpcDriver
from nodes.reports import Reports
from nodes.rpc.calls import End, Outcome, Session
from nodes.rpc.retry import maybe
from nodes.services.echo import ECHO
from nodes.sockets.codec import SocketCodec
from nodes.wire.addresses import UnixPath
from nodes.wire.record import Kind

HERE = [
    name
    for name in engines.NAMES
    if engines.availability(name) is None and "unix-datagram" in engines.offer(name).transports
]
CLIENT, CALLS, PATIENCE, GUARD = 10101, 30, 50, 20_000


@pytest.fixture
def full(tmp_path: Path) -> Iterator[socket.socket]:
    """A receiver that holds what it has room for."""
    if not HERE:
        pytest.skip("no engine here has Unix sockets")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "server"))
        yield receiver


def within_reason(program: ops.Program) -> Generator[Any, Any, Any]:
    task = yield ops.Spawn(program)
    return (yield ops.Join(task, (yield ops.Now()) + GUARD * MILLISECOND))


def run(engine: str, program: ops.Program) -> Any:
    return engines.create(engine, lambda _: 0, lambda: 0.5).run(within_reason(program))


def exchange(witness: Witnessing, target: UnixPath) -> Generator[Any, Any, list[Outcome]]:
    """All at once."""
    session, reports = Session(CLIENT, "maybe", introduces=False), Reports(ops.Queue(), [])
    codec, retry = SocketCodec("datagrams", ECHO), maybe(PATIENCE)
    driver = RpcDriver(session, ECHO, codec, "unix-datagram", target, "", retry, witness, reports, 1)
    yield from driver.open()
    tasks = []
    for seq in range(1, CALLS + 1):
        operation = Operation(seq, 1_000_000 + seq, "echo", b"%d" % seq)
        driver.begin(operation)
        tasks.append((yield ops.Spawn(driver.invoke(operation))))
    outcomes = []
    for task in tasks:
        outcomes.append((yield ops.Join(task)))
    yield from driver.close()
    return outcomes


@pytest.mark.parametrize("engine", HERE)
def test_an_exchange_ends_when_its_patience_does(engine: str, full: socket.socket) -> None:
    witness = Witnessing()
    outcomes = run(engine, exchange(witness, UnixPath(full.getsockname())))
    assert outcomes == [Outcome(End.INFO, "no reply")] * CALLS
    assert len(witness.of(Kind.SEND)) == CALLS, "before a byte of it moves"
    assert len({noted.detail["connection"] for noted in witness.of(Kind.SEND) if noted.detail}) == 1
    assert witness.of(Kind.END) == [], "its line has not ended"
    full.setblocking(False)
    assert full.recv(100).startswith(b"%d " % CLIENT)


@pytest.mark.parametrize("engine", HERE)
def test_a_line_is_free_again_when_what_filled_it_is_late(engine: str, full: socket.socket, tmp_path: Path) -> None:
    target = UnixPath(full.getsockname())

    def fill(line: Line) -> ops.Program:
        sent = 0
        while True:
            try:
                yield from line.send(b"filling", (yield ops.Now()) + PATIENCE * MILLISECOND)
            except TimeoutError:
                return sent
            sent += 1

    def main() -> ops.Program:
        line = Line((yield ops.Bind(UnixPath(str(tmp_path / "client")))), 1, target)
        filling = []
        for _ in range(3):
            filling.append((yield ops.Spawn(fill(line))))
        sent = 0
        for task in filling:
            sent += yield ops.Join(task)
        assert [full.recv(100) for _ in range(sent)] == [b"filling"] * sent
        yield from line.send(b"next", (yield ops.Now()) + GUARD * MILLISECOND)
        return full.recv(100)

    assert run(engine, main()) == b"next"


@pytest.mark.parametrize(("held", "second"), [(5, {"second"}), (10, {"second", "gave up"}), (15, {"gave up"})])
def test_a_turn_that_nobody_waits_for_any_more_is_the_next_ones(held: int, second: set[str]) -> None:
    """Also when it is given in the very moment in which who waits gives up."""
    mutex, order = Mutex(), []

    def take(name: str, patience: int) -> ops.Program:
        try:
            yield from mutex.take((yield ops.Now()) + patience * MILLISECOND)
        except TimeoutError:
            order.append("gave up")
            return
        order.append(name)
        yield from mutex.give()

    def main() -> ops.Program:
        yield from mutex.take()
        tasks = []
        for name, patience in (("second", 10), ("third", 100)):
            tasks.append((yield ops.Spawn(take(name, patience))))
        yield from pause(held)
        yield from mutex.give()
        for task in tasks:
            yield ops.Join(task)
        yield from take("last", 100)

    with world() as made:
        made.run(main(), made.host("main"))
    assert order[-1] == "last"
    assert "third" in order
    assert second & set(order)
    assert len(order) == 3
