"""Simulated hosts: killed, stopped, started again."""

from __future__ import annotations

from typing import Any

import pytest
from sim_programs import MILLISECOND, PORT, accept_one, connect, echo, error_of, idle, pause, world

from nodes import ops
from nodes.engines.sim import Crash, Host, Killed
from nodes.wire.addresses import IPv4

TRANSACTION = ops.Transaction((1, 1, 1), None, None, None)


def test_a_killed_host_runs_nothing_more_not_even_its_clean_up() -> None:
    seen: list[str] = []

    def victim() -> ops.Program:
        try:
            yield from pause(5)
            seen.append("slept")
        finally:
            seen.append("cleaned")

    def main() -> ops.Program:
        yield from pause(1)
        made.host("victim").crash()
        yield from pause(100)
        return list(seen)

    with world() as made:
        made.host("victim").spawn(victim())
        assert made.run(main(), made.host("main")) == []


@pytest.mark.parametrize(("unread", "expected"), [(False, None), (True, ConnectionResetError)])
def test_peers_of_a_killed_host_see_its_kernel_close(unread: bool, expected: Any) -> None:
    def main() -> ops.Program:
        socket = yield from connect("victim")
        if unread:
            yield ops.Send(socket, b"unread")
        yield from pause(1)
        made.host("victim").crash()
        ended = yield from error_of(ops.Recv(socket, 1))
        return ended, (yield from error_of(ops.Connect(IPv4("victim", PORT))))

    with world() as made:
        made.host("victim").spawn(accept_one(idle))
        assert made.run(main(), made.host("main")) == (expected, ConnectionRefusedError)


def test_connections_that_nobody_accepted_are_reset() -> None:
    def listening() -> ops.Program:
        yield ops.Listen(IPv4("127.0.0.1", PORT))
        yield from pause(10_000)

    def main() -> ops.Program:
        socket = yield from connect("victim")
        made.host("victim").crash()
        return (yield from error_of(ops.Recv(socket, 1)))

    with world() as made:
        made.host("victim").spawn(listening())
        assert made.run(main(), made.host("main")) is ConnectionResetError


def test_a_dead_host_answers_late_data_with_a_reset_and_loses_datagrams() -> None:
    def victim() -> ops.Program:
        yield ops.Bind(IPv4("127.0.0.1", PORT))
        yield from accept_one(idle)

    def main() -> ops.Program:
        socket = yield from connect("victim")
        datagrams = yield ops.Bind(IPv4("127.0.0.1", 0))
        made.host("victim").crash()
        yield ops.Send(socket, b"late")
        yield ops.SendTo(datagrams, b"late", IPv4("victim", PORT))
        yield from pause(1)
        return (yield from error_of(ops.Send(socket, b"x")))

    with world() as made:
        made.host("victim").spawn(victim())
        assert made.run(main(), made.host("main")) is BrokenPipeError


def test_a_restarted_host_listens_at_the_same_port() -> None:
    lives: list[str] = []

    def again(host: Host, reason: str) -> None:
        lives.append(reason)
        if len(lives) == 1:
            host.spawn(accept_one(echo))

    def main() -> ops.Program:
        first = yield from connect("server")
        server.crash()
        assert (yield ops.Recv(first, 1)) == b""
        second = yield from connect("server")
        yield ops.Send(second, b"again")
        return (yield ops.Recv(second, 10))

    with world() as made:
        server = made.host("server")
        server.on_exit = again
        server.spawn(accept_one(idle))
        assert made.run(main(), made.host("main")) == b"again"
        assert server.up
        assert lives == ["killed"]


def test_a_crash_raised_in_a_program_kills_its_host_only() -> None:
    ends: list[tuple[str, str]] = []

    def victim() -> ops.Program:
        yield ops.Now()
        raise Crash

    def main() -> ops.Program:
        yield from pause(1)

    with world() as made:
        host = made.host("victim")
        host.on_exit = lambda host, reason: ends.append((host.name, reason))
        host.spawn(idle(ops.Socket()))
        host.spawn(victim())
        made.run(main(), made.host("main"))
        assert not host.up
        assert isinstance(host.error, Crash)
        assert ends == [("victim", "killed")]


def test_a_crash_raised_by_the_commit_is_a_crash_there() -> None:
    after: list[str] = []

    def commit(_: ops.Transaction) -> int:
        raise Crash

    def victim() -> ops.Program:
        try:
            yield ops.Commit(TRANSACTION)
        finally:
            after.append("resumed")

    def main() -> ops.Program:
        yield from pause(1)
        return list(after)

    with world() as made:
        host = made.host("victim")
        host.spawn(victim(), commit=commit)
        assert made.run(main(), made.host("main")) == []
        assert not host.up


def test_another_error_of_the_commit_reaches_the_program() -> None:
    def commit(_: ops.Transaction) -> int:
        raise ValueError

    with world() as made:
        assert made.run(error_of(ops.Commit(TRANSACTION)), made.host("main"), commit) is ValueError


def test_die_performs_nothing_that_its_program_yields_while_unwinding() -> None:
    def victim() -> ops.Program:
        socket = yield ops.Bind(IPv4("127.0.0.1", 0))
        try:
            host.die()
        finally:
            yield ops.SendTo(socket, b"from the dead", IPv4("main", PORT))

    def main() -> ops.Program:
        socket = yield ops.Bind(IPv4("127.0.0.1", PORT))
        deadline = (yield ops.Now()) + 10 * MILLISECOND
        return (yield from error_of(ops.RecvFrom(socket, 100, deadline)))

    with world() as made:
        host = made.host("victim")
        host.spawn(victim())
        assert made.run(main(), made.host("main")) is TimeoutError
        assert not host.up


def test_an_unheard_error_kills_its_host_and_is_recorded() -> None:
    reasons: list[str] = []

    def broken() -> ops.Program:
        yield ops.Now()
        raise ValueError("a bug")

    with world() as made:
        host = made.host("broken")
        host.on_exit = lambda _, reason: reasons.append(reason)
        host.spawn(broken())
        made.run(pause(1), made.host("main"))
        assert repr(host.error) == "ValueError('a bug')"
        assert reasons == ["ValueError: a bug"]


def test_joining_a_task_of_a_host_that_dies_raises() -> None:
    def killer() -> ops.Program:
        yield from pause(1)
        made.host("victim").crash()

    def main() -> ops.Program:
        made.host("killer").spawn(killer())
        return (yield from error_of(ops.Join(task)))

    with world() as made:
        task = made.host("victim").spawn(pause(1000))
        assert made.run(main(), made.host("main")) is Killed


def test_a_dead_task_takes_no_item_from_a_queue() -> None:
    queue = ops.Queue()

    def getter() -> ops.Program:
        yield ops.Get(queue)

    def main() -> ops.Program:
        yield from pause(1)
        made.host("victim").crash()
        yield ops.Put(queue, "kept")
        return (yield ops.Get(queue))

    with world() as made:
        made.host("victim").spawn(getter())
        assert made.run(main(), made.host("main")) == "kept"


def test_a_stopped_host_takes_data_and_goes_on_where_it_was() -> None:
    seen: list[tuple[int, bytes]] = []

    def reader(socket: ops.Socket) -> ops.Program:
        while data := (yield ops.Recv(socket, 100)):
            seen.append(((yield ops.Now()), data))

    def main() -> ops.Program:
        socket = yield from connect("server")
        yield from pause(1)
        server.pause()
        for _ in range(3):
            yield ops.Send(socket, b"abc")
            yield from pause(1)
        assert seen == []
        second = yield ops.Connect(IPv4("server", PORT))
        resumed = yield ops.Now()
        server.resume()
        yield from pause(1)
        yield ops.Close(second)
        return resumed

    with world() as made:
        server = made.host("server")
        server.spawn(accept_one(reader))
        resumed = made.run(main(), made.host("main"))
        assert seen == [(resumed, b"abcabcabc")]


def test_timers_that_passed_during_a_stop_fire_when_it_goes_on() -> None:
    woken: list[Any] = []

    def sleeper() -> ops.Program:
        woken.append((yield from error_of(ops.Get(ops.Queue(), 5 * MILLISECOND))))
        yield ops.Sleep(10 * MILLISECOND)
        woken.append((yield ops.Now()))

    def main() -> ops.Program:
        yield from pause(1)
        host.pause()
        yield from pause(50)
        assert woken == []
        host.resume()
        yield from pause(1)

    with world() as made:
        host = made.host("stopped")
        host.spawn(sleeper())
        made.run(main(), made.host("main"))
        assert woken == [TimeoutError, 51 * MILLISECOND]


def test_data_that_came_during_a_stop_goes_before_a_deadline_that_passed_too() -> None:
    seen: list[Any] = []

    def reader() -> ops.Program:
        socket = yield ops.Bind(IPv4("127.0.0.1", PORT))
        seen.append((yield ops.RecvFrom(socket, 10, 5 * MILLISECOND))[0])

    def main() -> ops.Program:
        socket = yield ops.Bind(IPv4("127.0.0.1", 0))
        yield from pause(1)
        host.pause()
        yield from pause(9)
        yield ops.SendTo(socket, b"late", IPv4("stopped", PORT))
        yield from pause(1)
        host.resume()
        yield from pause(1)

    with world() as made:
        host = made.host("stopped")
        host.spawn(reader())
        made.run(main(), made.host("main"))
        assert seen == [b"late"]


def test_a_program_that_stops_its_host_performs_its_next_operation_when_it_goes_on() -> None:
    queue = ops.Queue()

    def stopping() -> ops.Program:
        yield ops.Now()
        host.pause()
        yield ops.Put(queue, "sent")

    def main() -> ops.Program:
        yield from pause(5)
        before = list(queue.items)
        host.resume()
        return before, (yield ops.Get(queue))

    with world() as made:
        host = made.host("stopping")
        host.spawn(stopping())
        assert made.run(main(), made.host("main")) == ([], "sent")


def test_a_stopped_host_can_be_killed_and_started() -> None:
    queue = ops.Queue()

    def life() -> ops.Program:
        yield from pause(5)
        yield ops.Put(queue, "lived")

    def main() -> ops.Program:
        yield from pause(1)
        host.pause()
        host.crash()
        assert not host.paused
        host.spawn(life())
        item = yield ops.Get(queue)
        deadline = (yield ops.Now()) + 100 * MILLISECOND
        return item, (yield from error_of(ops.Get(queue, deadline)))

    with world() as made:
        host = made.host("victim")
        host.spawn(life())
        assert made.run(main(), made.host("main")) == ("lived", TimeoutError)


def test_exit_closes_what_the_process_held() -> None:
    reasons: list[str] = []

    def leaver(_: ops.Socket) -> ops.Program:
        yield ops.Now()
        host.exit()
        yield ops.Get(ops.Queue())

    def main() -> ops.Program:
        socket = yield from connect("leaver")
        return (yield ops.Recv(socket, 1))

    with world() as made:
        host = made.host("leaver")
        host.on_exit = lambda _, reason: reasons.append(reason)
        host.spawn(accept_one(leaver))
        assert made.run(main(), made.host("main")) == b""
        assert reasons == ["exited"]
