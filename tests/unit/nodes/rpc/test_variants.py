"""The broken variants of a server that are neither a filter nor an order of writes."""

from __future__ import annotations

from typing import Any

from nodes.ops import Program
from nodes.rpc.interface import NULL, Skeleton
from nodes.rpc.variants import ColdReplica, LostUpdate, StaticArguments
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


class Waiting(Execution):
    """Of a call that waits once, and writes down what it commits."""

    def __init__(self) -> None:
        self.committed: list[tuple[int, dict[str, Any]]] = []
        self.waits = 0

    def pause(self) -> Program:
        self.waits += 1
        yield "waits"

    def commit(self, value: int, state: dict[str, Any]) -> Program:
        self.committed.append((value, state))
        yield from ()


class Started:
    """A call that has come to its wait."""

    def __init__(self, server: Skeleton, name: str, *arguments: int) -> None:
        self.execution = Waiting()
        self._program = server.call(REGISTER.procedure(name), self.execution, arguments)
        assert next(self._program) == "waits"

    def ended(self) -> Any:
        try:
            next(self._program)
        except StopIteration as done:
            assert self.execution.waits == 1
            return done.value
        raise AssertionError("it waits once more")


def test_static_arguments_are_those_of_the_last_call_of_the_procedure() -> None:
    server = StaticArguments(SERVICE, SERVICE.make({}))
    first, second = Started(server, "write", 7), Started(server, "write", 8)
    reading = Started(server, "read")
    assert (first.ended(), second.ended()) == (1, 2)
    assert first.execution.committed == [(1, {"value": 8, "version": 1})]
    assert second.execution.committed == [(2, {"value": 8, "version": 2})]
    assert reading.ended() == 8


def test_a_lost_update_goes_on_with_what_it_read_before_it_waited() -> None:
    server = LostUpdate(SERVICE, SERVICE.make({"value": 5, "version": 3}))
    first, second = Started(server, "write", 7), Started(server, "write", 8)
    assert (second.ended(), first.ended()) == (4, 4)
    assert first.execution.committed == [(4, {"value": 7, "version": 4})]
    assert Started(server, "read").ended() == 7
