"""Servers written in the wrong way, on every engine that each is of: convicted by the contract, or by what it costs."""

from __future__ import annotations

import socket
import sys
from collections import Counter
from functools import partial
from typing import Any

import pytest
from collecting import collections_of_new_objects_alone
from counted_waits import counting
from descriptors_taken import none_left
from engine_checks import CHECKS
from engine_contract import ANY_PORT, MILLISECOND, Subject, descriptors, each, one, pause, until

from nodes import engines, ops
from nodes.accepting import accept
from nodes.engines import variants
from nodes.engines.variants.keeps_registered import MOST

__all__ = ["collections_of_new_objects_alone"]  # a fixture for every test here

HASTE = 300 * MILLISECOND
CONVICTED = {
    "undrained": ("check_what_a_receive_left_is_there_for_the_next", "check_an_end_of_file_that_came_with_the_data"),
    "greedy": ("check_who_never_stops_sending_leaves_others_their_turns",),
}
CONVICTIONS = [
    (f"{engine}:{variant}", check)
    for variant, checks in CONVICTED.items()
    for engine in variants.OF[variant]
    for check in checks
]
SPINNING = variants.OF["keeps-registered"]
SEVERAL = MOST + 2
"""Connections, more than are kept registered."""
IDLE, BUSY = 10, 100
"""So few waits of an engine that has nothing to do, so many of one that spins, in 40 ms."""


def subject(name: str, guard: int = 20_000 * MILLISECOND) -> Subject:
    if (reason := engines.availability(name)) is not None:
        pytest.skip(f"engine {name}: {reason}")
    return Subject(partial(engines.create, name), guard)


def counted(name: str) -> tuple[Subject, Counter[str]]:
    subject(name)
    return counting(type(engines.create(name, lambda transaction: 0, lambda: 0.5)))


@pytest.mark.parametrize(("engine", "check"), CONVICTIONS)
def test_the_contract_convicts(engine: str, check: str) -> None:
    with pytest.raises((AssertionError, TimeoutError)):
        CHECKS[check](subject(engine, HASTE))


def echoing(connection: ops.Socket) -> ops.Program:
    while data := (yield ops.Recv(connection, 10)):
        yield ops.Send(connection, data)
    yield ops.Close(connection)


def serving(listener: ops.Socket) -> ops.Program:
    while True:
        connection = yield ops.Accept(listener)
        yield ops.Spawn(echoing(connection), "connection", connection=connection)


def served(listener: ops.Socket) -> ops.Program:
    """A whole life of a client's connection."""
    client = yield ops.Connect(listener.local)
    for _ in range(3):
        yield ops.Send(client, b"hello")
        assert (yield ops.Recv(client, 10)) == b"hello"
    yield ops.Shutdown(client)
    assert (yield ops.Recv(client, 10)) == b""
    yield ops.Close(client)


def waits_after_closing(examined: Subject, waits: Counter[str]) -> int:
    """-> how often it looked in 40 ms in which nothing came, after several connections were served and closed."""

    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        yield ops.Spawn(serving(listener))
        for _ in range(SEVERAL):
            yield from served(listener)
        together = yield from each(ops.Spawn(served(listener)) for _ in range(SEVERAL))
        yield from each(ops.Join(task) for task in together)
        yield from pause(5)
        waits.clear()
        yield from pause(40)
        return waits["all"]

    return int(examined.run(main()))


@pytest.mark.parametrize("engine", SPINNING)
def test_what_is_kept_registered_is_reported_for_ever_and_others_are_served(engine: str) -> None:
    assert waits_after_closing(*counted(engine)) < IDLE
    assert waits_after_closing(*counted(f"{engine}:keeps-registered")) > BUSY


@pytest.mark.parametrize("engine", SPINNING)
def test_few_descriptors_are_kept_and_none_after_the_run(engine: str) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        yield ops.Spawn(serving(listener))
        open_before = descriptors()
        for _ in range(2 * SEVERAL):
            yield from served(listener)
        assert open_before < descriptors() <= open_before + MOST

    examined = subject(f"{engine}:keeps-registered")
    before = descriptors()
    examined.run(main())
    assert descriptors() == before


@pytest.mark.parametrize("engine", variants.LAUNCHED)
def test_nothing_shows_of_one_message_at_a_time(engine: str) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        yield ops.Spawn(serving(listener))
        for _ in range(SEVERAL):
            yield from served(listener)

    subject(engine).run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which descriptors are taken")
@pytest.mark.parametrize("engine", ["epoll", "epoll_edge", "poll", "select"])
def test_who_accepts_on_without_descriptors_does_nothing_else(engine: str) -> None:
    examined, waits = counted(engine)

    def accepting(listener: ops.Socket, accepted: list[Any]) -> ops.Program:
        while True:
            accepted.append((yield from accept(listener, accepts_on=True)))

    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        accepted: list[Any] = []
        yield ops.Spawn(accepting(listener, accepted))
        with socket.create_connection(listener.local), socket.socket() as second:
            yield from until(lambda: len(accepted) == 1)
            with none_left():
                second.connect(listener.local)
                waits.clear()
                yield from pause(40)
                assert waits["all"] > BUSY
                assert len(accepted) == 1
            yield from until(lambda: len(accepted) == 2)

    examined.run(main())


def test_a_broken_engine_is_no_engine() -> None:
    """It can be told to a node, and chosen by nobody."""
    assert not set(variants.LAUNCHED) & set(engines.NAMES)
    assert {name.partition(":")[0] for name in variants.LAUNCHED} <= set(engines.NAMES)
    with pytest.raises(KeyError):
        engines.availability("poll:undrained")
    assert subject("epoll").run(one(ops.Now())) > 0
