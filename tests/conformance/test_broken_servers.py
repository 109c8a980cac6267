"""Servers written in the wrong way, on every engine that each is of: convicted by the contract, or by what it costs."""

from __future__ import annotations

import socket
import sys
from collections import Counter
from collections.abc import Callable
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
BUSY = 100
"""What an engine or a program that has nothing to do does not come to, and one that spins soon does."""
PAUSES = 10


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
    """-> how often it looked while nothing came, after several connections were served and closed; BUSY is enough."""

    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        yield ops.Spawn(serving(listener))
        for _ in range(SEVERAL):
            yield from served(listener)
        together = yield from each(ops.Spawn(served(listener)) for _ in range(SEVERAL))
        yield from each(ops.Join(task) for task in together)
        waits.clear()
        for _ in range(PAUSES):
            yield from pause(40)
            if waits["all"] > BUSY:
                break
        return waits["all"]

    return int(examined.run(main()))


@pytest.mark.parametrize("engine", SPINNING)
def test_what_is_kept_registered_is_reported_for_ever_and_others_are_served(engine: str) -> None:
    assert waits_after_closing(*counted(engine)) < BUSY
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


def accepting(listener: ops.Socket, accepted: list[Any], attempts: Counter[str], *, accepts_on: bool) -> ops.Program:
    while True:
        accepted.append((yield from counted_in(accept(listener, accepts_on=accepts_on), attempts)))


def counted_in(program: ops.Program, operations: Counter[str]) -> ops.Program:
    """The same program; its operations are counted by their names."""
    resume: Callable[[Any], Any] = program.send
    argument: Any = None
    while True:
        try:
            operation = resume(argument)
        except StopIteration as done:
            return done.value
        operations[type(operation).__name__] += 1
        try:
            resume, argument = program.send, (yield operation)
        except OSError as error:
            resume, argument = program.throw, error


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which descriptors are taken")
@pytest.mark.parametrize("engine", engines.NAMES)
def test_who_accepts_on_without_descriptors_does_nothing_else(engine: str) -> None:
    def main(accepts_on: bool) -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        accepted, attempts = list[Any](), Counter[str]()
        yield ops.Spawn(accepting(listener, accepted, attempts, accepts_on=accepts_on))
        with socket.create_connection(listener.local), socket.socket() as second, socket.socket() as third:
            yield from until(lambda: len(accepted) == 1)
            with none_left():
                for client in (second, third):
                    client.connect(listener.local)
                attempts.clear()
                for _ in range(PAUSES):
                    yield from pause(40)
                    if attempts["Accept"] > BUSY:
                        break
                assert (attempts["Accept"] > BUSY) == accepts_on
            yield from until(lambda: len(accepted) == 3)

    for accepts_on in (False, True):
        subject(engine).run(main(accepts_on))


def test_a_broken_engine_is_no_engine() -> None:
    """It can be told to a node, and chosen by nobody."""
    assert not set(variants.LAUNCHED) & set(engines.NAMES)
    assert {name.partition(":")[0] for name in variants.LAUNCHED} <= set(engines.NAMES)
    with pytest.raises(KeyError):
        engines.availability("poll:undrained")
    assert subject("epoll").run(one(ops.Now())) > 0
