"""Programs that the tests of the simulator share."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nodes import ops
from nodes.engines.sim import Conditions, World
from nodes.wire.addresses import IPv4

MILLISECOND = 1_000_000
PORT = 700


@contextmanager
def world(seed: int = 1, **conditions: Any) -> Iterator[World]:
    """A world of that seed whose segments arrive whole unless told otherwise."""
    with World(random.Random(seed), Conditions(**{"split": 0, **conditions})) as made:
        yield made


def pause(milliseconds: float) -> ops.Program:
    yield ops.Sleep((yield ops.Now()) + int(milliseconds * MILLISECOND))


def error_of(operation: Any) -> ops.Program:
    """-> the type of the error that the operation ends with, None if it succeeds."""
    try:
        yield operation
    except (Exception, ops.Cancelled) as error:
        return type(error)
    return None


def accept_one(then: Callable[[ops.Socket], ops.Program], port: int = PORT) -> ops.Program:
    """Listen, accept one connection and do `then` with it."""
    listener = yield ops.Listen(IPv4("127.0.0.1", port))
    return (yield from then((yield ops.Accept(listener))))


def idle(_: ops.Socket) -> ops.Program:
    """Hold the connection and do nothing."""
    yield ops.Get(ops.Queue())


def echo(socket: ops.Socket) -> ops.Program:
    """Send back what comes until end of file."""
    while data := (yield ops.Recv(socket, 65_536)):
        yield ops.Send(socket, data)
    yield ops.Close(socket)


def connect(host: str, port: int = PORT) -> ops.Program:
    """-> a connection; tries until somebody listens."""
    while True:
        try:
            return (yield ops.Connect(IPv4(host, port)))
        except ConnectionRefusedError:
            yield from pause(1)
