"""A deadline that did not pass, or a sleep that was cancelled, wakes nobody later. Time is virtual on every engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nodes import ops
from nodes.engines import epoll
from nodes.engines.common import loop, tasks
from nodes.engines.common.readiness import Driver
from nodes.engines.sim import Engine as Simulated
from nodes.wire.addresses import IPv4

ANY_PORT = IPv4("127.0.0.1", 0)
LONG = 1_000_000_000
Wait = Callable[[int], ops.Program]


class VirtualTime:
    """A poller and its clock: real readiness; once nothing more is on its way (`free`), waiting moves the clock."""

    def __init__(self) -> None:
        self.now = 0
        self.free = False
        self._poller = epoll.EpollPoller()
        self.trigger, self.tells_end = self._poller.trigger, self._poller.tells_end
        self.register = self._poller.register
        self.modify = self._poller.modify
        self.unregister = self._poller.unregister
        self.close = self._poller.close

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        if not self.free or timeout_ns is None:
            return self._poller.wait(0 if timeout_ns == 0 else None)
        self.now += timeout_ns
        return []


class Bench:
    """An engine under test; `quiet` tells it that nothing more is on its way."""

    def __init__(self, run: Callable[[ops.Program], Any], quiet: Callable[[], None] = lambda: None) -> None:
        self.run = run
        self.quiet = quiet


@pytest.fixture(params=["readiness", "sim"])
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bench:
    if request.param == "sim":
        return Bench(Simulated(lambda _: 0, lambda: 0.5).run)
    if reason := epoll.availability():
        pytest.skip(reason)
    time = VirtualTime()
    for module in (loop, tasks):
        monkeypatch.setattr(module, "monotonic_ns", lambda: time.now)

    class Examined(Driver):
        @staticmethod
        def poller() -> VirtualTime:
            return time

    return Bench(Examined(lambda _: 0, lambda: 0.5).run, lambda: setattr(time, "free", True))


def get(deadline: int) -> ops.Program:
    queue = ops.Queue()
    yield ops.Spawn(one(ops.Put(queue, 1)))
    yield ops.Get(queue, deadline)


def join(deadline: int) -> ops.Program:
    yield ops.Join((yield ops.Spawn(one(ops.Now()))), deadline)


def accept_and_connect(deadline: int) -> ops.Program:
    listener = yield ops.Listen(ANY_PORT)
    connecting = yield ops.Spawn(one(ops.Connect(listener.local, deadline)))
    yield ops.Accept(listener, deadline)
    yield ops.Join(connecting)


def connect(deadline: int) -> ops.Program:
    listener = yield ops.Listen(ANY_PORT)
    yield ops.Connect(listener.local, deadline)


def receive(deadline: int) -> ops.Program:
    client, server = yield from pair()
    yield ops.Spawn(one(ops.Send(client, b"data")))
    yield ops.Recv(server, 10, deadline)


def receive_datagram(deadline: int) -> ops.Program:
    socket = yield ops.Bind(ANY_PORT)
    yield ops.Spawn(one(ops.SendTo(socket, b"data", socket.local)))
    yield ops.RecvFrom(socket, 10, deadline)


def send(deadline: int) -> ops.Program:
    """More than the kernel takes at once."""
    client, server = yield from pair()
    reading = yield ops.Spawn(read(server))
    yield ops.Send(client, bytes(1 << 23), deadline)
    yield ops.Shutdown(client)
    yield ops.Join(reading)


def read(socket: ops.Socket) -> ops.Program:
    while (yield ops.Recv(socket, 1 << 20)):
        pass


WAITS = (get, join, accept_and_connect, connect, receive, receive_datagram, send)


def one(operation: Any) -> ops.Program:
    return (yield operation)


def pair() -> ops.Program:
    """-> (client's side, server's side) of a new connection."""
    listener = yield ops.Listen(ANY_PORT)
    accepting = yield ops.Spawn(one(ops.Accept(listener)))
    client = yield ops.Connect(listener.local)
    return client, (yield ops.Join(accepting))


@pytest.mark.parametrize("wait", WAITS)
def test_a_deadline_that_did_not_pass_wakes_no_later_sleep(bench: Bench, wait: Wait) -> None:
    def main() -> ops.Program:
        yield from wait(LONG)
        bench.quiet()
        yield ops.Sleep(2 * LONG)
        return (yield ops.Now())

    assert bench.run(main()) == 2 * LONG


@pytest.mark.parametrize("wait", WAITS)
def test_a_deadline_that_did_not_pass_ends_no_later_get(bench: Bench, wait: Wait) -> None:
    def main() -> ops.Program:
        yield from wait(LONG)
        bench.quiet()
        queue = ops.Queue()
        yield ops.Spawn(put_at(2 * LONG, queue))
        return (yield ops.Get(queue, 3 * LONG))

    assert bench.run(main()) == "put"


def put_at(time: int, queue: ops.Queue) -> ops.Program:
    yield ops.Sleep(time)
    yield ops.Put(queue, "put")


def test_a_sleep_that_was_cancelled_wakes_no_later_one(bench: Bench) -> None:
    def sleeper() -> ops.Program:
        try:
            yield ops.Sleep(LONG)
        except ops.Cancelled:
            pass
        yield ops.Sleep(2 * LONG)
        return (yield ops.Now())

    def main() -> ops.Program:
        task = yield ops.Spawn(sleeper())
        yield ops.Sleep(1)
        yield ops.Cancel(task)
        return (yield ops.Join(task))

    bench.quiet()
    assert bench.run(main()) == 2 * LONG
