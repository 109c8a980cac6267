"""What a check of the engines' contract is made of.

A check is a function of a `Subject`; it raises if the engine breaks the rule that it is named after. Checks use
nothing but operations, so that they hold for a simulator as well: the other side is always a program of the
same run, and every wait that a broken engine could turn into a hang has a guard.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import cycle
from typing import Any

from nodes import ops
from nodes.wire.addresses import IPv4

ANY_PORT = IPv4("127.0.0.1", 0)
DESCRIPTORS = "/dev/fd"
MILLISECOND = 1_000_000


class Subject:
    """An engine under examination, with what was committed through it and how long a guard waits; among how many
    `workers` whatever a check spawns is dealt out."""

    def __init__(self, create: Callable[..., Any], guard: int = 20_000 * MILLISECOND, workers: int = 1) -> None:
        self.committed: list[ops.Transaction] = []
        self.drawn = 0
        self.guard = guard
        self._create = create
        self._turns = cycle(range(workers)) if workers > 1 else None

    def _commit(self, transaction: ops.Transaction) -> int:
        if transaction.effect is None:
            raise ValueError("no effect")
        self.committed.append(transaction)
        return len(self.committed)

    def _random(self) -> float:
        self.drawn += 1
        return self.drawn / 1024

    def run(self, main: ops.Program) -> Any:
        guarded = self._guarded(main)
        if self._turns is not None:
            guarded = dealt_out(guarded, self._turns)
        return self._create(self._commit, self._random).run(guarded)

    def _guarded(self, main: ops.Program) -> ops.Program:
        task = yield ops.Spawn(main, "checked")
        return (yield ops.Join(task, (yield ops.Now()) + self.guard))


def dealt_out(program: ops.Program, turns: Iterator[int]) -> ops.Program:
    """The same program; what it spawns, and what that spawns, goes to the workers in turn."""
    resume: Callable[[Any], Any] = program.send
    argument: Any = None
    while True:
        try:
            operation = resume(argument)
        except StopIteration as done:
            return done.value
        if isinstance(operation, ops.Spawn):
            operation = ops.Spawn(dealt_out(operation.program, turns), operation.name, next(turns))
        try:
            resume, argument = program.send, (yield operation)
        except BaseException as error:
            resume, argument = program.throw, error


def after(milliseconds: int) -> Generator[Any, Any, int]:
    """-> a deadline."""
    now: int = yield ops.Now()
    return now + milliseconds * MILLISECOND


def pause(milliseconds: int) -> Generator[Any, Any, None]:
    yield ops.Sleep((yield from after(milliseconds)))


def until(condition: Callable[[], bool]) -> Generator[Any, Any, None]:
    """Let the others run until the condition holds; the guard ends what never comes."""
    while not condition():
        yield from pause(1)


def failing(operation: Any) -> Generator[Any, Any, BaseException]:
    """-> the error that the operation ends with; AssertionError if it does not."""
    try:
        result = yield operation
    except (Exception, ops.Cancelled) as error:
        return error
    raise AssertionError(f"{type(operation).__name__} gave {result!r}, an error was due")


def pair() -> Generator[Any, Any, tuple[ops.Socket, ops.Socket, ops.Socket]]:
    """-> (client's side, server's side, listener) of a new connection."""
    listener = yield ops.Listen(ANY_PORT)
    accepting = yield ops.Spawn(one(ops.Accept(listener)))
    client = yield ops.Connect(listener.local)
    server = yield ops.Join(accepting)
    return client, server, listener


def each(operations: Iterable[Any]) -> Generator[Any, Any, list[Any]]:
    """-> the results of these operations, one after another."""
    results = []
    for operation in operations:
        results.append((yield operation))
    return results


def one(operation: Any) -> ops.Program:
    """A program of one operation."""
    return (yield operation)


def receive_all(socket: ops.Socket, size: int = 65536, chunks: list[int] | None = None) -> Generator[Any, Any, bytes]:
    """-> everything until end of file."""
    parts = []
    while part := (yield ops.Recv(socket, size)):
        parts.append(part)
        if chunks is not None:
            chunks.append(len(part))
    return b"".join(parts)


def receive_exactly(socket: ops.Socket, size: int) -> Generator[Any, Any, bytes]:
    data = b""
    while len(data) < size:
        part = yield ops.Recv(socket, size - len(data))
        assert part, "end of file too early"
        data += part
    return data


def descriptors() -> int:
    """How many are open, without those of objects that nobody holds: the collector may close them at any time."""
    gc.collect()
    return len(os.listdir(DESCRIPTORS)) if os.path.isdir(DESCRIPTORS) else 0
