"""The engines' contract: what is over is not kept, neither its descriptor nor its memory, while the run goes on."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Generator
from typing import Any

from engine_contract import ANY_PORT, Subject, descriptors, failing, one, pause

from nodes import ops

ROUNDS = 4
"""Among several workers each has begun by then."""
MANY, FEW = 20, 5
"""So many have ended; so many of them may still be in somebody's hands."""

Life = Callable[[ops.Socket], ops.Program]


def connected(listener: ops.Socket) -> Generator[Any, Any, tuple[ops.Socket, ops.Socket]]:
    """-> (client's side, server's side)."""
    accepting = yield ops.Spawn(one(ops.Accept(listener)))
    client = yield ops.Connect(listener.local)
    return client, (yield ops.Join(accepting))


def used_and_closed(listener: ops.Socket) -> ops.Program:
    client, server = yield from connected(listener)
    yield ops.Send(client, b"all")
    yield ops.Close(client)
    assert (yield ops.Recv(server, 10)) == b"all"
    assert (yield ops.Recv(server, 10)) == b""
    yield ops.Close(server)
    yield ops.Close((yield ops.Bind(ANY_PORT)))


def reset_and_closed(listener: ops.Socket) -> ops.Program:
    client, server = yield from connected(listener)
    reading = yield ops.Spawn(failing(ops.Recv(client, 10)))
    yield ops.Send(client, b"unread")
    yield from pause(3)
    yield ops.Close(server)
    assert isinstance((yield ops.Join(reading)), ConnectionResetError)
    yield ops.Close(client)


def _leaves_no_descriptor(subject: Subject, life: Life) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        for _ in range(ROUNDS):
            yield from life(listener)
        before = descriptors()
        for _ in range(ROUNDS):
            yield from life(listener)
        assert descriptors() <= before

    subject.run(main())


def check_close_gives_the_descriptor_back(subject: Subject) -> None:
    _leaves_no_descriptor(subject, used_and_closed)


def check_a_connection_that_was_reset_leaves_no_descriptor(subject: Subject) -> None:
    _leaves_no_descriptor(subject, reset_and_closed)


def _sockets() -> int:
    gc.collect()
    return sum(issubclass(type(thing), ops.Socket) for thing in gc.get_objects())


def check_what_has_ended_is_forgotten(subject: Subject) -> None:
    def life(listener: ops.Socket) -> Generator[Any, Any, weakref.ref[ops.Task]]:
        yield from used_and_closed(listener)
        task = yield ops.Spawn(one(ops.Now()))
        yield ops.Join(task)
        return weakref.ref(task)

    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        before, tasks = _sockets(), []
        for _ in range(MANY):
            tasks.append((yield from life(listener)))
        assert _sockets() - before < FEW
        assert sum(task() is not None for task in tasks) < FEW

    subject.run(main())


CHECKS = {name: check for name, check in dict(globals()).items() if name.startswith("check_")}
