"""The driver over a poller: sockets that are ready in one batch, and events that nobody waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from nodes import ops
from nodes.engines import epoll
from nodes.engines.common.readiness import Driver
from nodes.engines.common.timers import Timers
from nodes.wire.addresses import IPv4, UnixPath

pytestmark = pytest.mark.skipif(epoll.availability() is not None, reason="no epoll")
ANY_PORT = IPv4("127.0.0.1", 0)


class Poller(epoll.EpollPoller):
    """Says nothing until `due` descriptors are ready; then it is a plain poller again. `waits` counts its calls."""

    due = 0
    waits = 0

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        self.waits += 1
        ready = super().wait(timeout_ns)
        if len(ready) < self.due:
            return []
        self.due = 0
        return ready


@pytest.fixture
def poller() -> Poller:
    return Poller()


def run(poller: Poller, main: ops.Program) -> object:
    class Examined(Driver):
        @staticmethod
        def poller() -> Poller:
            return poller

    return Examined(lambda _: 0, lambda: 0.5).run(main)


def receive_then(mine: ops.Socket, then: Callable[[], ops.Program]) -> ops.Program:
    """-> what was received and what `then` returned, or the error's type."""
    try:
        data, _ = yield ops.RecvFrom(mine, 10)
    except ConnectionAbortedError as error:
        return type(error)
    return data, (yield from then())


def both_ready(poller: Poller, first: ops.Program, second: ops.Program, *targets: ops.Socket) -> ops.Program:
    """-> the results of two programs that wait on `targets`, for which data comes in one batch."""
    tasks = [(yield ops.Spawn(first)), (yield ops.Spawn(second))]
    poller.due = 2
    sender = yield ops.Bind(ANY_PORT)
    for target in targets:
        yield ops.SendTo(sender, b"data", target.local)
    return [(yield ops.Join(tasks[0])), (yield ops.Join(tasks[1]))]


def test_the_closed_ones_event_reaches_nobody(poller: Poller) -> None:
    def closing(socket: ops.Socket) -> Callable[[], ops.Program]:
        def then() -> ops.Program:
            yield ops.Close(socket)
            return "closed"

        return then

    def main() -> ops.Program:
        one, two = (yield ops.Bind(ANY_PORT)), (yield ops.Bind(ANY_PORT))
        programs = receive_then(one, closing(two)), receive_then(two, closing(one))
        return (yield from both_ready(poller, *programs, one, two))

    results = run(poller, main())
    assert isinstance(results, list)
    assert set(results) == {(b"data", "closed"), ConnectionAbortedError}


def test_the_closed_ones_event_is_not_that_of_a_new_socket_with_its_number(poller: Poller) -> None:
    def reopening(socket: ops.Socket) -> Callable[[], ops.Program]:
        def then() -> ops.Program:
            yield ops.Close(socket)
            new = yield ops.Bind(ANY_PORT)
            yield ops.Spawn(send_later(new.local))
            data, _ = yield ops.RecvFrom(new, 10)
            return data

        return then

    def send_later(target: ops.Address) -> ops.Program:
        yield ops.Sleep((yield ops.Now()) + 1)
        yield ops.SendTo((yield ops.Bind(ANY_PORT)), b"new", target)

    def main() -> ops.Program:
        one, two = (yield ops.Bind(ANY_PORT)), (yield ops.Bind(ANY_PORT))
        programs = receive_then(one, reopening(two)), receive_then(two, reopening(one))
        return (yield from both_ready(poller, *programs, one, two))

    results = run(poller, main())
    assert isinstance(results, list)
    assert set(results) == {(b"data", b"new"), ConnectionAbortedError}


def test_what_nobody_receives_keeps_nobody_awake(poller: Poller) -> None:
    def main() -> ops.Program:
        """One receive leaves the socket's interest on; what comes then is for nobody."""
        socket, sender = (yield ops.Bind(ANY_PORT)), (yield ops.Bind(ANY_PORT))
        receiving = yield ops.Spawn(receive_then(socket, nothing))
        yield ops.SendTo(sender, b"wanted", socket.local)
        yield ops.Join(receiving)
        yield ops.SendTo(sender, b"unwanted", socket.local)
        yield ops.Sleep((yield ops.Now()) + 30_000_000)
        return (yield ops.RecvFrom(socket, 10))[0]

    assert run(poller, main()) == b"unwanted"
    assert poller.waits < 20


def nothing() -> ops.Program:
    return None
    yield


def test_what_waits_for_room_is_tried_for_the_last_time_at_its_deadline(
    poller: Poller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before that ever more seldom."""
    due: list[int] = []
    arm = Timers.arm

    def armed(timers: Timers[Any], when: int, owner: Any) -> Any:
        due.append(when)
        return arm(timers, when, owner)

    def main() -> ops.Program:
        bound = yield ops.Bind(UnixPath(""))
        for _ in range(10_000):  # no queue holds them
            due.clear()
            deadline = (yield ops.Now()) + 60_000_000
            try:
                yield ops.SendTo(bound, b"x", bound.local, deadline)
            except TimeoutError:
                return deadline
        raise AssertionError("there is always room")

    monkeypatch.setattr(Timers, "arm", armed)
    assert run(poller, main()) == due[-1] == max(due)
    assert len(due) < 9
