"""Waiting costs nothing: a thread that waits sleeps in the kernel, and does not look again and again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from nodes import ops
from nodes.engines import threads
from nodes.engines.common import blocking
from nodes.wire.addresses import IPv4

pytestmark = pytest.mark.skipif(threads.availability() is not None, reason=str(threads.availability()))
ANY_PORT = IPv4("127.0.0.1", 0)
MILLISECOND = 1_000_000
FEW = 40
"""Looks that a wait of 30 ms may cost. The kernel may give up up to a tick early, and is asked again; who spins looks
thousands of times."""


class Looks:
    """Counts how often anybody read the clock, or went to wait for another thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        clock = self._counted(time.monotonic_ns)
        monkeypatch.setattr(threads, "monotonic_ns", clock)
        monkeypatch.setattr(blocking, "monotonic_ns", clock)
        monkeypatch.setattr(threading.Condition, "wait", self._counted(threading.Condition.wait))
        monkeypatch.setattr(threading.Thread, "join", self._counted(threading.Thread.join))

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.count += 1
            return function(*arguments)

        return counted


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(monkeypatch)


def run(main: ops.Program) -> Any:
    return threads.Engine(lambda _: 0, lambda: 0.5).run(main)


def soon() -> ops.Program:
    """-> a deadline."""
    return (yield ops.Now()) + 30 * MILLISECOND


def nap() -> ops.Program:
    until = yield from soon()
    yield ops.Sleep(until)
    assert (yield ops.Now()) >= until


def get() -> ops.Program:
    yield ops.Get(ops.Queue(), (yield from soon()))


def join() -> ops.Program:
    yield ops.Join((yield ops.Spawn(get_for_ever())), (yield from soon()))


def accept() -> ops.Program:
    yield ops.Accept((yield ops.Listen(ANY_PORT)), (yield from soon()))


def receive() -> ops.Program:
    _, server = yield from pair()
    yield ops.Recv(server, 10, (yield from soon()))


def receive_datagram() -> ops.Program:
    yield ops.RecvFrom((yield ops.Bind(ANY_PORT)), 10, (yield from soon()))


def send() -> ops.Program:
    """More than the kernel takes, to somebody who does not read."""
    client, _ = yield from pair()
    yield ops.Send(client, bytes(1 << 23), (yield from soon()))


def get_for_ever() -> ops.Program:
    yield ops.Get(ops.Queue())


def one(operation: Any) -> ops.Program:
    return (yield operation)


def pair() -> ops.Program:
    """-> (client's side, server's side) of a new connection."""
    listener = yield ops.Listen(ANY_PORT)
    accepting = yield ops.Spawn(one(ops.Accept(listener)))
    client = yield ops.Connect(listener.local)
    return client, (yield ops.Join(accepting))


@pytest.mark.parametrize("wait", [get, join, accept, receive, receive_datagram, send])
def test_a_wait_until_its_deadline_sleeps(looks: Looks, wait: Callable[[], ops.Program]) -> None:
    with pytest.raises(TimeoutError):
        run(wait())
    assert looks.count < FEW


def test_a_sleep_sleeps(looks: Looks) -> None:
    run(nap())
    assert looks.count < FEW


@pytest.mark.parametrize("operation", [ops.Get(ops.Queue()), ops.Sleep(1 << 62)])
def test_a_wait_without_an_end_sleeps_until_it_is_cancelled(looks: Looks, operation: Any) -> None:
    def main() -> ops.Program:
        task = yield ops.Spawn(one(operation))
        yield from nap()
        yield ops.Cancel(task)
        yield ops.Join(task)

    with pytest.raises(ops.Cancelled):
        run(main())
    assert looks.count < FEW
