"""The simulator's clock, scheduler and ends of a run."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim_programs import MILLISECOND, PORT, accept_one, connect, echo, error_of, idle, pause, world

from nodes import engines, ops
from nodes.engines.sim import Conditions, Crash, Deadlock, World
from nodes.wire.addresses import IPv4

Trace = list[tuple[Any, ...]]


def chatter(seed: int) -> Trace:
    """What three hosts see of each other in one run."""
    trace: Trace = []

    def server() -> ops.Program:
        listener = yield ops.Listen(IPv4("127.0.0.1", PORT))
        while True:
            yield ops.Spawn(serve((yield ops.Accept(listener))))

    def serve(socket: ops.Socket) -> ops.Program:
        while data := (yield ops.Recv(socket, 10)):
            trace.append(((yield ops.Now()), "served", socket.peer, data))
            yield ops.Send(socket, data)

    def client(name: str) -> ops.Program:
        socket = yield from connect("server")
        for number in range(5):
            yield ops.Send(socket, b"%d-------" % number)
            trace.append(((yield ops.Now()), name, (yield ops.Recv(socket, 10)), (yield ops.Random())))

    def main() -> ops.Program:
        tasks = [made.host(name).spawn(client(name)) for name in ("a", "b")]
        for task in tasks:
            yield ops.Join(task)

    with World(random.Random(seed), Conditions(split=0.5)) as made:
        made.host("server").spawn(server())
        made.run(main(), made.host("main"))
        trace.append(("end", made.now))
    return trace


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_one_seed_is_one_run(seed: int) -> None:
    assert chatter(seed) == chatter(seed)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_another_seed_is_another_run(seed: int) -> None:
    assert chatter(seed) != chatter(seed + 1)


def test_seeds_change_who_goes_first() -> None:
    def order(seed: int) -> str:
        seen: list[str] = []

        def one(name: str) -> ops.Program:
            yield ops.Now()
            seen.append(name)

        def main() -> ops.Program:
            tasks = []
            for name in "abcd":
                tasks.append((yield ops.Spawn(one(name))))
            for task in tasks:
                yield ops.Join(task)

        with world(seed) as made:
            made.run(main(), made.host("main"))
        return "".join(seen)

    orders = {order(seed) for seed in range(1000)}
    assert len(orders) == 24


def test_time_moves_only_when_all_wait() -> None:
    def main() -> ops.Program:
        start = yield ops.Now()
        for _ in range(100):
            yield ops.Put(ops.Queue(), None)
        assert (yield ops.Now()) == start
        yield ops.Sleep(start + 3_600_000 * MILLISECOND)
        return (yield ops.Now()) - start

    with world() as made:
        assert made.run(main(), made.host("main")) == 3_600_000 * MILLISECOND


def test_an_outdated_timer_does_not_move_the_clock() -> None:
    def main() -> ops.Program:
        queue = ops.Queue()
        yield ops.Put(queue, 1)
        waiter = yield ops.Spawn(late(queue))
        yield from pause(1)
        yield ops.Put(queue, 2)
        yield ops.Join(waiter)
        yield ops.Get(ops.Queue())

    def late(queue: ops.Queue) -> ops.Program:
        yield ops.Get(queue)
        return (yield ops.Get(queue, (yield ops.Now()) + 1000 * MILLISECOND))

    with world() as made:
        with pytest.raises(Deadlock):
            made.run(main(), made.host("main"))
        assert made.now == MILLISECOND


def test_a_deadlock_says_who_waits_for_what() -> None:
    def main() -> ops.Program:
        socket = yield from connect("server")
        yield ops.Recv(socket, 1)

    with world() as made:
        made.host("server").spawn(accept_one(idle), "acceptor")
        with pytest.raises(Deadlock) as caught:
            made.run(main(), made.host("client"))
        assert caught.value.waiting == [
            "server/acceptor Get",
            "client/main Recv at client:32768 from server:700",
        ]


def test_a_deadlock_names_a_stopped_host() -> None:
    def main() -> ops.Program:
        yield ops.Join(task)

    with world() as made:
        stopped = made.host("stopped")
        task = stopped.spawn(pause(1), "sleeper")
        stopped.pause()
        with pytest.raises(Deadlock, match=r"stopped/sleeper can run \(paused\); main/main Join of sleeper"):
            made.run(main(), made.host("main"))


def test_nothing_runs_after_main() -> None:
    seen: list[int] = []

    def other() -> ops.Program:
        while True:
            seen.append((yield ops.Now()))
            yield from pause(1)

    with world() as made:
        made.host("other").spawn(other())
        made.run(pause(10.5), made.host("main"))
        count = len(seen)
        assert count == 11
    assert len(seen) == count


def test_an_error_of_main_is_raised() -> None:
    def main() -> ops.Program:
        yield ops.Now()
        raise ValueError("its own")

    with world() as made, pytest.raises(ValueError, match="its own"):
        made.run(main(), made.host("main"))


def test_an_error_that_nobody_joins_ends_the_run_of_its_host() -> None:
    def broken() -> ops.Program:
        yield ops.Now()
        raise ValueError("unheard")

    def main() -> ops.Program:
        yield ops.Spawn(broken())
        yield ops.Get(ops.Queue())

    with world() as made, pytest.raises(ValueError, match="unheard"):
        made.run(main(), made.host("main"))


def test_a_crash_of_the_main_host_is_raised() -> None:
    def main() -> ops.Program:
        yield ops.Now()
        raise Crash("here")

    with world() as made, pytest.raises(Crash):
        made.run(main(), made.host("main"))


def test_keyboard_interrupt_ends_the_run_wherever_it_hits() -> None:
    def hit() -> ops.Program:
        yield ops.Now()
        raise KeyboardInterrupt

    with world() as made:
        made.host("other").spawn(hit())
        with pytest.raises(KeyboardInterrupt):
            made.run(pause(1), made.host("main"))


def test_what_is_no_operation_is_an_error_at_the_yield() -> None:
    with world() as made:
        assert made.run(error_of("nonsense"), made.host("main")) is TypeError


def test_put_from_outside_a_program_wakes_a_waiter_or_is_kept() -> None:
    queue = ops.Queue()

    def main() -> ops.Program:
        first = yield ops.Get(queue)
        made.put(queue, "second")
        return first, (yield ops.Get(queue))

    def outside() -> ops.Program:
        yield from pause(1)
        made.put(queue, "first")

    with world() as made:
        made.host("other").spawn(outside())
        assert made.run(main(), made.host("main")) == ("first", "second")


def test_a_commit_without_a_ledger_is_an_error() -> None:
    with world() as made:
        commit = ops.Commit(ops.Transaction((1, 1, 1), None, None, None))
        assert made.run(error_of(commit), made.host("main")) is OSError


def test_children_inherit_commit_and_random() -> None:
    transaction = ops.Transaction((1, 1, 1), None, None, None)

    def child() -> ops.Program:
        return (yield ops.Commit(transaction)), (yield ops.Random())

    def main() -> ops.Program:
        return (yield ops.Join((yield ops.Spawn(child()))))

    with world() as made:
        assert made.run(main(), made.host("main"), lambda _: 7, lambda: 0.5) == (7, 0.5)


def test_close_lets_go_of_programs_that_clean_up() -> None:
    cleaned: list[str] = []

    def stuck() -> ops.Program:
        socket = yield ops.Bind(IPv4("127.0.0.1", 0))
        try:
            yield ops.RecvFrom(socket, 1)
        finally:
            cleaned.append("cleaned")
            yield ops.Close(socket)

    with world() as made:
        made.host("other").spawn(stuck())
        made.run(pause(1), made.host("main"))
        assert cleaned == []
    assert cleaned == ["cleaned"]


def test_the_registry_makes_the_engine() -> None:
    engine = engines.create("sim", lambda _: 0, lambda: 0.0)

    def main() -> ops.Program:
        serving = yield ops.Spawn(accept_one(echo))
        socket = yield from connect("localhost")
        yield ops.Send(socket, b"hello")
        data = yield ops.Recv(socket, 100)
        yield ops.Close(socket)
        yield ops.Join(serving)
        return data

    assert engines.availability("sim") is None
    assert engine.run(main()) == b"hello"
