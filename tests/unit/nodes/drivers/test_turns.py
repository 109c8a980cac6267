from __future__ import annotations

import pytest
from sim_programs import pause, world

from nodes.drivers import Operation
from nodes.drivers.turns import Turns
from nodes.ops import Get, Program, Put, Queue
from nodes.rpc.calls import End, Outcome
from nodes.wire.header import turn


class Noting:
    """A driver of one link, which notes what it is asked to do. It opens when the one after it has."""

    def __init__(self, name: str, noted: list[str], opened: Queue, after: Queue | None) -> None:
        self.name = name
        self.noted = noted
        self.opened = opened
        self.after = after

    def open(self) -> Program:
        if self.after is not None:
            yield Get(self.after)
        self.noted.append(f"{self.name} opens")
        yield Put(self.opened, None)

    def begin(self, operation: Operation) -> None:
        self.noted.append(f"{self.name} begins {operation.seq}")

    def invoke(self, operation: Operation) -> Program:
        return Outcome(End.OK, f"{self.name} {operation.seq}")
        yield

    def finish(self) -> Program:
        self.noted.append(f"{self.name} finishes")
        return
        yield

    def close(self) -> Program:
        self.noted.append(f"{self.name} closes")
        return
        yield


def test_operations_take_the_links_in_turn_and_all_of_them_are_opened_and_closed() -> None:
    noted: list[str] = []
    queues = [Queue(), Queue()]
    turns = Turns([Noting("left", noted, queues[0], queues[1]), Noting("right", noted, queues[1], None)])
    outcomes: list[Outcome] = []

    def main() -> Program:
        yield from turns.open()
        for seq in (1, 2, 3):
            operation = Operation(seq, seq, "add", 1)
            turns.begin(operation)
            outcomes.append((yield from turns.invoke(operation)))
        yield from turns.finish()
        yield from turns.close()

    with world() as made:
        made.host("client").spawn(main())
        made.run(pause(10), made.host("main"))
    assert noted[:2] == ["right opens", "left opens"]
    assert noted[2:5] == ["left begins 1", "right begins 2", "left begins 3"]
    assert [outcome.value for outcome in outcomes] == ["left 1", "right 2", "left 3"]
    assert noted[5:] == ["left finishes", "right finishes", "left closes", "right closes"]


@pytest.mark.parametrize(("links", "taken"), [(1, [0, 0, 0, 0]), (2, [0, 1, 0, 1]), (3, [0, 1, 2, 0])])
def test_the_number_of_an_operation_decides(links: int, taken: list[int]) -> None:
    assert [turn(seq, links) for seq in (1, 2, 3, 4)] == taken
