"""Where the system keeps no more signals, it sends SIGIO without a number, and the engine looks at all its sockets."""

from __future__ import annotations

import resource
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import pytest

from nodes import engines, ops
from nodes.engines import sigio
from nodes.wire.addresses import IPv4

pytestmark = pytest.mark.skipif(sigio.availability() is not None, reason=f"engine sigio: {sigio.availability()}")
ANY_PORT = IPv4("127.0.0.1", 0)


@pytest.fixture
def no_queue() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_SIGPENDING)
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (0, hard))
    yield
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (soft, hard))


def each(operations: Iterable[Any]) -> Generator[Any, Any, list[Any]]:
    results = []
    for operation in operations:
        results.append((yield operation))
    return results


@pytest.mark.usefixtures("no_queue")
def test_nothing_is_lost_when_signals_are() -> None:
    def receive(socket: ops.Socket) -> ops.Program:
        return (yield ops.RecvFrom(socket, 10))[0]

    def main() -> ops.Program:
        sender = yield ops.Bind(ANY_PORT)
        receivers = yield from each([ops.Bind(ANY_PORT)] * 2)
        tasks = yield from each(ops.Spawn(receive(socket)) for socket in receivers)
        yield ops.Sleep((yield ops.Now()) + 1_000_000)
        for socket in receivers:
            yield ops.SendTo(sender, b"data", socket.local)
        return (yield from each(ops.Join(task) for task in tasks))

    assert engines.create("sigio", lambda _: 0, lambda: 0.5).run(main()) == [b"data", b"data"]
