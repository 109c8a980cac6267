"""PURE: one driver over several links of a client process: its operations take them in turn (nodes/wire/header.py)."""

from __future__ import annotations

from collections.abc import Sequence

from nodes.drivers import Driver, Operation
from nodes.ops import Join, Program, Spawn
from nodes.wire.header import turn


class Turns:
    """`drivers` has one for each link, in the links' order."""

    def __init__(self, drivers: Sequence[Driver]) -> None:
        self._drivers = drivers

    def _of(self, operation: Operation) -> Driver:
        return self._drivers[turn(operation.seq, len(self._drivers))]

    def open(self) -> Program:
        """Side by side: a server that cannot be reached keeps nobody from the others."""
        tasks = []
        for driver in self._drivers:
            tasks.append((yield Spawn(driver.open(), "open")))
        for task in tasks:
            yield Join(task)

    def begin(self, operation: Operation) -> None:
        self._of(operation).begin(operation)

    def invoke(self, operation: Operation) -> Program:
        return self._of(operation).invoke(operation)

    def finish(self) -> Program:
        for driver in self._drivers:
            yield from driver.finish()

    def close(self) -> Program:
        for driver in self._drivers:
            yield from driver.close()
