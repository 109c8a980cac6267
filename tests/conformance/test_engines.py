"""One contract over every engine that the registry knows, and broken engines that it must convict."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import engine_contract_sockets
import engine_contract_tasks
import pytest
from engine_contract import ANY_PORT, MILLISECOND, Subject, after, each, failing, one, pair, pause

from nodes import engines, ops
from nodes.engines import epoll
from nodes.engines.common import sockets
from nodes.engines.common.readiness import Driver

CHECKS = engine_contract_tasks.CHECKS | engine_contract_sockets.CHECKS
SIMULATED = "sim"
REAL = tuple(name for name in engines.NAMES if name != SIMULATED)


def subject(name: str) -> Subject:
    reason = engines.availability(name)
    if reason is not None:
        pytest.skip(f"engine {name}: {reason}")
    return Subject(partial(engines.create, name))


@pytest.fixture
def hasty_switches() -> Iterator[None]:
    """Threads change places as often as they can, so that a missing lock shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_switches")
@pytest.mark.parametrize("engine", [*REAL, SIMULATED])
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_contract(check: Callable[[Subject], None], engine: str) -> None:
    check(subject(engine))


# --- what only real engines can leave behind ---


def _descriptors() -> int:
    """Without those of objects that nobody holds: the collector may close them at any time."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


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


@pytest.mark.parametrize("engine", REAL)
def test_nothing_is_left_when_the_run_ends(engine: str) -> None:
    examined = subject(engine)
    before, threads = _descriptors(), threading.active_count()
    assert examined.run(_untidy()) == "done"
    assert _descriptors() == before
    assert threading.active_count() == threads


@pytest.mark.parametrize("engine", REAL)
def test_an_interrupt_closes_the_sockets_and_propagates(engine: str) -> None:
    def main() -> ops.Program:
        yield from _untidy()
        os.kill(os.getpid(), signal.SIGINT)
        yield ops.Get(ops.Queue())

    examined = subject(engine)
    before, threads = _descriptors(), threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        examined.run(main())
    assert _descriptors() == before
    assert threading.active_count() == threads


@pytest.mark.parametrize("engine", REAL)
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

    before = _descriptors()
    subject(engine).run(main())
    assert _descriptors() == before


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


@pytest.mark.skipif(epoll.availability() is not None, reason=str(epoll.availability()))
def test_readiness_that_nobody_wants_does_not_spin() -> None:
    waits = Counter[str]()

    class Counting(epoll.EpollPoller):
        def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
            waits["all"] += 1
            return super().wait(timeout_ns)

    def main(reset: bool) -> ops.Program:
        client, server, _ = yield from pair()
        yield ops.Send(client, b"12")
        yield ops.Recv(server, 1)
        yield ops.Send(server, b"unread")
        if reset:
            yield ops.Recv(client, 1)
            yield ops.Close(client)
        waits.clear()
        yield from pause(100)

    for reset in (False, True):
        Driver(Counting, lambda transaction: 0, lambda: 0.5).run(main(reset))
        assert waits["all"] < 10


# --- engines that are wrong on purpose ---


class NewestWaiterFirst(epoll.Engine):
    def _put(self, task: Any, operation: ops.Put) -> None:
        operation.queue.waiters.rotate(1)
        super()._put(task, operation)


class LosesWakeups(epoll.Engine):
    def _put(self, task: Any, operation: ops.Put) -> None:
        operation.queue.items.append(operation.item)


class CancelTakesAnItem(epoll.Engine):
    def _cancel(self, task: Any, operation: ops.Cancel) -> None:
        operation.task.undo = None  # type: ignore[attr-defined]
        super()._cancel(task, operation)


class SendsOnlyWhatFits(epoll.Engine):
    def _await_sent(self, task: Any, operation: ops.Send, sent: int) -> Any:
        return None


class CloseWakesNobody(epoll.Engine):
    def _close(self, task: Any, operation: ops.Close) -> None:
        operation.socket.reader = None  # type: ignore[attr-defined]
        super()._close(task, operation)


class ReceivesForEver(epoll.Engine):
    def _await_readable(self, task: Any, operation: Any, size: int) -> Any:
        operation.deadline = None
        return super()._await_readable(task, operation, size)


class SwallowsErrors(epoll.Engine):
    def _ended(self, task: Any, error: BaseException) -> None:
        super()._ended(task, StopIteration(None) if isinstance(error, Exception) else error)


MUTANTS = [
    (NewestWaiterFirst, "check_the_longest_waiter_is_served_first"),
    (LosesWakeups, "check_every_joiner_is_told"),
    (CancelTakesAnItem, "check_cancel_at_get_takes_no_item"),
    (SendsOnlyWhatFits, "check_a_send_is_complete_however_slow_the_reader"),
    (CloseWakesNobody, "check_close_ends_what_waits_on_the_socket"),
    (ReceivesForEver, "check_recv_has_a_deadline_and_loses_nothing"),
    (SwallowsErrors, "check_an_error_that_nobody_joins_ends_the_run"),
]


@pytest.mark.skipif(epoll.availability() is not None, reason=str(epoll.availability()))
@pytest.mark.parametrize(("mutant", "check"), MUTANTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_engine_is_convicted(mutant: type, check: str) -> None:
    CHECKS[check](Subject(epoll.Engine))
    with pytest.raises((AssertionError, TimeoutError, ops.Cancelled)):
        CHECKS[check](Subject(mutant, guard=300 * MILLISECOND))
