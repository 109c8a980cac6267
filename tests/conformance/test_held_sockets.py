"""Every engine watches as many sockets as the descriptor limit allows."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Generator, Iterator
from functools import partial
from typing import Any

import pytest
from engine_contract import ANY_PORT, Subject, one

from nodes import engines, ops


@pytest.fixture
def below_a_power_of_two() -> Iterator[int]:
    """The limit. A table that doubles has more places than are allowed, when the half of them is taken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = (4 << len(os.listdir("/proc/self/fd")).bit_length()) - 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def all_that_there_are() -> Generator[Any, Any, list[ops.Socket]]:
    """Sockets, until no descriptor is left."""
    found = []
    while True:
        try:
            found.append((yield ops.Bind(ANY_PORT)))
        except OSError:
            return found


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which descriptors are open")
@pytest.mark.parametrize("engine", [name for name in engines.NAMES if "udp" in engines.offer(name).transports])
def test_as_many_sockets_are_watched_as_the_limit_allows(engine: str, below_a_power_of_two: int) -> None:
    if reason := engines.availability(engine):
        pytest.skip(f"engine {engine}: {reason}")

    def main() -> ops.Program:
        held = yield from all_that_there_are()
        receiving = []
        for number, socket in enumerate(held):
            receiving.append((yield ops.Spawn(one(ops.RecvFrom(socket, 10)), f"receiver {number}")))
        for number, socket in enumerate(held):
            yield ops.SendTo(held[0], str(number).encode(), socket.local)
        received = []
        for task in receiving:
            data, _ = yield ops.Join(task)
            received.append(int(data))
        return received

    received = Subject(partial(engines.create, engine)).run(main())
    assert received == list(range(len(received)))
    assert len(received) > below_a_power_of_two // 2
