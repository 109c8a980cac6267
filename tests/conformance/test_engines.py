"""One contract over every engine that the registry knows."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from collecting import collections_of_new_objects_alone
from counted_waits import counting
from descriptors_taken import none_left
from engine_checks import CHECKS, OF_REAL_ENGINES
from engine_contract import ANY_PORT, Subject, after, descriptors, each, failing, one, pair, pause, until

from nodes import engines, ops
from nodes.accepting import accept
from nodes.engines.common import sockets
from nodes.engines.common.readiness import Driver

__all__ = ["collections_of_new_objects_alone"]  # a fixture for every test here

SIMULATED = "sim"
REAL = tuple(name for name in engines.NAMES if name != SIMULATED)
HERE = tuple(name for name in REAL if engines.availability(name) is None)
READINESS = tuple(name for name in HERE if isinstance(engines.create(name, lambda _: 0, lambda: 0.5), Driver))
SEVERAL = tuple(f"{name} x3" for name in REAL if engines.offer(name).workers > 1)
"""With several workers."""
QUIET = tuple(name for name in READINESS if name != "busy")


def subject(name: str) -> Subject:
    name, _, workers = name.partition(" x")
    reason = engines.availability(name)
    if reason is not None:
        pytest.skip(f"engine {name}: {reason}")
    return Subject(partial(engines.create, name), workers=int(workers or 1))


@pytest.fixture
def hasty_switches() -> Iterator[None]:
    """Threads change places as often as they can, so that a missing lock shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.usefixtures("hasty_switches")
@pytest.mark.parametrize("engine", [*REAL, *SEVERAL, SIMULATED])
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_contract(check: Callable[[Subject], None], engine: str) -> None:
    check(subject(engine))


@pytest.mark.parametrize("engine", [*REAL, *SEVERAL])
@pytest.mark.parametrize("check", OF_REAL_ENGINES.values(), ids=OF_REAL_ENGINES)
def test_contract_of_real_engines(check: Callable[[Subject], None], engine: str) -> None:
    check(subject(engine))


# --- what only real engines can leave behind ---


@pytest.fixture(autouse=True, scope="module")
def everything_has_run_once() -> None:
    """What a library keeps for its process, as libuv a pipe for signals, it has from its first run on."""
    for name in HERE:
        subject(name).run(one(ops.Now()))


def _untidy() -> ops.Program:
    """Ends while sockets are open and tasks wait at every kind of operation."""
    client, _server, listener = yield from pair()
    bound = yield ops.Bind(ANY_PORT)
    waits = (
        ops.Accept(listener),
        ops.Recv(client, 10),
        ops.Send(client, bytes(32 << 20)),
        ops.RecvFrom(bound, 10),
        ops.Get(ops.Queue()),
        ops.Sleep((yield from after(3_600_000))),
    )
    for wait in waits:
        yield ops.Spawn(_closing(wait, client))
    yield from pause(20)
    return "done"


def _closing(operation: Any, socket: ops.Socket) -> ops.Program:
    try:
        yield operation
    finally:
        yield ops.Close(socket)


@pytest.mark.parametrize("engine", [*REAL, *SEVERAL])
def test_nothing_is_left_when_the_run_ends(engine: str) -> None:
    examined = subject(engine)
    before, threads, mask = descriptors(), threading.active_count(), signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert examined.run(_untidy()) == "done"
    assert descriptors() == before
    assert threading.active_count() == threads
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask


@pytest.mark.parametrize("engine", [*REAL, *SEVERAL])
def test_an_interrupt_closes_the_sockets_and_propagates(engine: str) -> None:
    def main() -> ops.Program:
        yield from _untidy()
        os.kill(os.getpid(), signal.SIGINT)
        yield ops.Get(ops.Queue())

    examined = subject(engine)
    before, threads = descriptors(), threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        examined.run(main())
    assert descriptors() == before
    assert threading.active_count() == threads


@pytest.mark.parametrize("engine", [*REAL, *SEVERAL])
def test_a_connection_that_comes_as_its_listener_closes_is_closed(engine: str) -> None:
    """Whoever was accepted for nobody learns it, and nobody keeps its descriptor."""

    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        accepting = yield ops.Spawn(failing(ops.Accept(listener)))
        yield from pause(1)
        with socket.create_connection(listener.local, timeout=10) as client:
            yield ops.Close(listener)
            assert isinstance((yield ops.Join(accepting)), ConnectionAbortedError)
            try:
                assert client.recv(1) == b""
            except ConnectionResetError:
                pass

    before = descriptors()
    subject(engine).run(main())
    assert descriptors() == before


@pytest.mark.parametrize("engine", REAL)
def test_post_reaches_a_waiting_program_from_another_thread(engine: str) -> None:
    examined = engines.create(engine, lambda transaction: 0, lambda: 0.5)
    queue = ops.Queue()

    def main() -> ops.Program:
        outside = threading.Thread(target=lambda: [examined.post(queue, n) for n in range(100)])
        outside.start()
        got = yield from each([ops.Get(queue)] * 100)
        outside.join()
        return got

    assert examined.run(main()) == list(range(100))


@pytest.mark.parametrize("engine", REAL)
def test_post_never_waits_for_the_programs(engine: str) -> None:
    """As a signal handler may not: it stands in the way of whoever would listen."""
    examined, queue, count = engines.create(engine, lambda transaction: 0, lambda: 0.5), ops.Queue(), 5_000

    def main() -> ops.Program:
        for number in range(count):
            examined.post(queue, number)
        return (yield from each([ops.Get(queue)] * count))

    assert examined.run(main()) == list(range(count))


@pytest.mark.parametrize("engine", REAL)
def test_an_engine_runs_again(engine: str) -> None:
    examined = engines.create(engine, lambda transaction: 0, lambda: 0.5)
    with pytest.raises(ZeroDivisionError):
        examined.run(waiting_for(failing_soon()))
    assert [examined.run(one(ops.Now())) > 0 for _ in range(2)] == [True, True]


def waiting_for(program: ops.Program) -> ops.Program:
    yield ops.Spawn(program)
    yield ops.Get(ops.Queue())


def failing_soon() -> ops.Program:
    yield ops.Sleep(0)
    raise ZeroDivisionError


@pytest.mark.parametrize("engine", REAL)
def test_two_receives_on_one_socket_are_an_error(engine: str) -> None:
    def main() -> ops.Program:
        _client, server, _ = yield from pair()
        yield ops.Spawn(one(ops.Recv(server, 1)))
        yield from pause(10)
        assert isinstance((yield from failing(ops.Recv(server, 1))), RuntimeError)

    subject(engine).run(main())


def test_a_connection_to_itself_is_refused() -> None:
    raw = socket.socket()
    with raw:
        raw.bind(ANY_PORT)
        raw.connect(raw.getsockname())
        with pytest.raises(ConnectionRefusedError):
            sockets.refuse_self(sockets.local_of(raw), sockets.peer_of(raw))


def counted(name: str) -> tuple[Subject, Counter[str]]:
    """-> an engine that waits for readiness, and how often it looked."""
    subject(name)
    return counting(type(engines.create(name, lambda transaction: 0, lambda: 0.5)))


def unread() -> ops.Program:
    client, server, _ = yield from pair()
    yield ops.Send(client, b"12")
    yield ops.Recv(server, 1)
    yield ops.Send(server, b"unread")
    return client, server


def reset() -> ops.Program:
    client, server = yield from unread()
    yield ops.Recv(client, 1)
    yield ops.Close(client)
    return server


def half_closed() -> ops.Program:
    client, server, _ = yield from pair()
    yield ops.Spawn(one(ops.Send(server, bytes(32 << 20))))
    yield ops.Shutdown(client)
    assert (yield ops.Recv(server, 1)) == b""
    return client, server


def never_finished() -> ops.Program:
    listener = yield ops.Listen(ANY_PORT, 0)
    for _ in range(3):
        yield ops.Spawn(one(ops.Connect(listener.local)))
    yield from pause(5)
    return listener


@pytest.mark.parametrize("prepare", [unread, reset, half_closed, never_finished])
@pytest.mark.parametrize("engine", QUIET)
def test_what_nobody_waits_for_does_not_spin(engine: str, prepare: Callable[[], ops.Program]) -> None:
    examined, waits = counted(engine)

    def main() -> ops.Program:
        _held = yield from prepare()
        for _ in range(10):  # a busy host's buffers may fill for a while yet
            waits.clear()
            yield from pause(40)
            if waits["all"] < 10:
                return
        raise AssertionError(f"{waits['all']} waits in 40 ms")

    examined.run(main())


@pytest.mark.parametrize("engine", REAL)
def test_a_client_that_is_gone_before_it_is_accepted(engine: str) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        with socket.create_connection(listener.local) as gone:
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted = yield ops.Accept(listener)
        assert isinstance((yield from failing(ops.Recv(accepted, 10))), ConnectionResetError)

    subject(engine).run(main())


@pytest.mark.parametrize("engine", REAL)
def test_what_came_before_a_reset_is_received_first(engine: str) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        for waits in (False, True):
            with socket.create_connection(listener.local) as gone:
                accepted = yield ops.Accept(listener)
                if waits:
                    reading = yield ops.Spawn(one(ops.Recv(accepted, 10)))
                    yield from pause(2)
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                gone.send(b"data")
            assert (yield ops.Join(reading) if waits else ops.Recv(accepted, 10)) == b"data"
            assert isinstance((yield from failing(ops.Recv(accepted, 10))), ConnectionResetError)

    subject(engine).run(main())


def accept_in_turn(listener: ops.Socket, accepted: list[ops.Socket]) -> ops.Program:
    while True:
        accepted.append((yield from accept(listener)))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which descriptors are taken")
@pytest.mark.parametrize("engine", REAL)
def test_without_descriptors_connections_wait_and_are_accepted_later(engine: str) -> None:
    examined, waits = (subject(engine), Counter[str]()) if engine not in READINESS else counted(engine)

    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        accepted: list[ops.Socket] = []
        yield ops.Spawn(accept_in_turn(listener, accepted))
        with socket.create_connection(listener.local), socket.socket() as second, socket.socket() as third:
            yield from until(lambda: len(accepted) == 1)
            with none_left():
                assert isinstance((yield from failing(ops.Bind(ANY_PORT))), OSError)
                for client in (second, third):
                    client.connect(listener.local)
                waits.clear()
                yield from pause(40)
                assert len(accepted) < 3  # a thread that waits in accept(2) has its descriptor already
                assert engine == "busy" or waits["all"] < 10
            yield from until(lambda: len(accepted) == 3)

    before = descriptors()
    examined.run(main())
    assert descriptors() == before


@pytest.mark.parametrize("engine", [*REAL, *SEVERAL])
def test_an_interrupt_reaches_an_engine_that_is_never_idle(engine: str) -> None:
    ended: list[str] = []

    def juggle(socket: ops.Socket) -> ops.Program:
        for _ in range(20_000):
            ball, _ = yield ops.RecvFrom(socket, 10)
            yield ops.SendTo(socket, ball, socket.local)
        ended.append("of itself")

    def main() -> ops.Program:
        juggled = yield ops.Bind(ANY_PORT)
        for _ in range(20):
            yield ops.SendTo(juggled, b"ball", juggled.local)
        juggling = yield ops.Spawn(juggle(juggled))
        yield from pause(5)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        yield ops.Join(juggling)

    with pytest.raises(KeyboardInterrupt):
        subject(engine).run(main())
    assert not ended
