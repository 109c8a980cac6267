"""A client with several links: its operations take them in turn, what concerns all of them reaches each."""

from __future__ import annotations

import pytest
from sim_programs import MILLISECOND, pause, world

from nodes import ops
from nodes.drivers import Operation
from nodes.drivers.turns import Turns
from nodes.rpc.calls import End, Outcome
from nodes.wire.header import turn

OPERATIONS = [Operation(seq, 100 + seq, "add", 1) for seq in (1, 2, 3)]


class Named:
    """A driver that notes what it is asked for, and takes `slow` milliseconds to open."""

    def __init__(self, name: str, said: list[str], slow: int = 0) -> None:
        self._name = name
        self._said = said
        self._slow = slow

    def _say(self, what: str) -> None:
        self._said.append(f"{self._name} {what}")

    def open(self) -> ops.Program:
        yield from pause(self._slow)
        self._say("open")

    def begin(self, operation: Operation) -> None:
        self._say(f"begin {operation.seq}")

    def invoke(self, operation: Operation) -> ops.Program:
        yield from pause(0)
        return Outcome(End.OK, f"{self._name} {operation.seq}")

    def finish(self) -> ops.Program:
        yield from pause(0)
        self._say("finish")

    def close(self) -> ops.Program:
        yield from pause(0)
        self._say("close")


def test_links_are_opened_side_by_side_and_operations_take_them_in_turn() -> None:
    said: list[str] = []
    driver = Turns([Named("a", said, slow=20), Named("b", said, slow=10)])
    outcomes: list[Outcome] = []
    opened: list[int] = []

    def program() -> ops.Program:
        yield from driver.open()
        opened.append((yield ops.Now()))
        for operation in OPERATIONS:
            driver.begin(operation)
            outcomes.append((yield from driver.invoke(operation)))
        yield from driver.finish()
        yield from driver.close()

    with world() as made:
        made.run(program(), made.host("main"))
    assert said == [
        *("b open", "a open"),
        *("a begin 1", "b begin 2", "a begin 3"),
        *("a finish", "b finish", "a close", "b close"),
    ]
    assert [outcome.value for outcome in outcomes] == ["a 1", "b 2", "a 3"]
    assert opened == [20 * MILLISECOND]


@pytest.mark.parametrize("links", [1, 2, 3])
def test_an_operations_number_decides_its_link(links: int) -> None:
    assert [turn(seq, links) for seq in range(1, 2 * links + 1)] == [*range(links), *range(links)]
