"""The broken variant of a server that is neither a filter nor an order of writes."""

from __future__ import annotations

from typing import Any

from nodes.ops import Program
from nodes.rpc.interface import NULL
from nodes.rpc.variants import ColdReplica
from nodes.services.register import REGISTER, SERVICE


class Execution:
    def pause(self) -> Program:
        yield from ()

    def commit(self, value: int, state: dict[str, Any]) -> Program:
        yield from ()


def called(server: ColdReplica, name: str, *arguments: int) -> Any:
    program = server.call(REGISTER.procedure(name), Execution(), arguments)
    try:
        next(program)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits for something")


def test_a_cold_replica_follows_what_is_written_and_knows_nothing_of_before() -> None:
    kept = {"value": 5, "version": 3}
    server = ColdReplica(SERVICE, SERVICE.make(kept))
    assert called(server, "read") == 0
    assert called(server, "write", 7) == 4
    assert called(server, "read") == 7


def test_it_answers_what_every_interface_has() -> None:
    assert called(ColdReplica(SERVICE, SERVICE.make({})), NULL.name) is None
