"""PURE: the client's harness: numbers operations, journals them, calls a driver, and waits at gates.

Before an operation with a gate, and before the last `after_heal` operations, a process waits until it is told to go
on. Each invoke is journalled before anything is sent, and has exactly one completion. That heal's gate is reached is
told when no earlier call is open any more.

Of a client that sends to a group, as many operations begin together as the group has members: the deliveries of one
message, which all carry what the first of them asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nodes.drivers import Driver, DriverFailed, Operation
from nodes.ops import Get, Join, Program, Put, Queue, Spawn
from nodes.reports import Reports
from nodes.rpc.calls import End, Outcome
from nodes.rpc.service import Workload
from nodes.services import WORKLOADS
from nodes.wire.header import client_number, intent_number, turn
from nodes.wire.record import Kind, Witness

HEAL = -1
"""The gate that opens at heal."""

CALL = "call"
"""The workload of a program of the user's, which is given intents and nothing more."""

COMPLETION = {End.OK: Kind.OK, End.FAIL: Kind.FAIL, End.INFO: Kind.INFO}


class Gates:
    """Closed until released; a release may come before anybody waits. `reached` is called when all have come to one."""

    def __init__(self, processes: int, reached: Callable[[int], Program]) -> None:
        self._processes = processes
        self._all_reached = reached
        self._open: set[int] = set()
        self._waiting: dict[int, list[Queue]] = {}
        self._reached: dict[int, int] = {}

    def reach(self, gate: int) -> Program:
        """Wait at a gate."""
        self._reached[gate] = self._reached.get(gate, 0) + 1
        queue = Queue()
        self._waiting.setdefault(gate, []).append(queue)
        if self.reached(gate):
            yield from self._all_reached(gate)
        if gate in self._open:
            return
        yield Get(queue)

    def reached(self, gate: int) -> bool:
        """Whether every process has come to it."""
        return self._reached.get(gate, 0) == self._processes

    def release(self, gate: int) -> Program:
        self._open.add(gate)
        for queue in self._waiting.pop(gate, []):
            yield Put(queue, None)


class Harness:
    """One client node's workload. `driver(process)` makes a process's driver (processes count from 1)."""

    def __init__(
        self, spec: dict[str, Any], epoch: int, witness: Witness, reports: Reports, driver: Callable[[int], Driver]
    ) -> None:
        self._spec = spec
        self._epoch = epoch
        self._witness = witness
        self._reports = reports
        self._gated = frozenset(spec["gates"])
        self._operation = operations(spec["workload"])
        self._members = spec["members"]
        self._drivers = {process: driver(process) for process in range(1, spec["clients"] + 1)}
        self._finished = False
        self._told = False
        self.gates = Gates(spec["clients"], self._all_reached)
        self.open = 0
        self.completed = 0
        self.done = False

    def main(self) -> Program:
        """Run every process to its end, and say so."""
        tasks = []
        for process in self._drivers:
            worker = process % self._spec["workers"]
            tasks.append((yield Spawn(self._process(process), f"process {process}", worker)))
        for task in tasks:
            yield Join(task)
        self.done = True
        yield from self._reports.announce("done")

    def finish(self) -> Program:
        """Open operations end as `info`, and no further ones are begun."""
        self._finished = True
        for driver in self._drivers.values():
            yield from driver.finish()
        for gate in (HEAL, *self._gated):
            yield from self.gates.release(gate)

    def _process(self, process: int) -> Program:
        driver = self._drivers[process]
        yield from driver.open()
        free = Queue()
        free.items.extend(range(self._spec["outstanding"]))
        slots: list[int] = []
        for call in range(1, self._spec["calls"] + 1):
            yield from self._pass_gates(process, call)
            while turn(call, self._members) == 0 and len(slots) < self._members:
                slots.append((yield Get(free)))
            slot = slots.pop()
            if self._finished:  # while it waited at a gate, or for one of its calls to end
                free.items.extend([slot, *slots])
                break
            operation = self._begin(driver, process, call)
            yield from self._reports.tell("invoke", call, client_number(self._spec["ordinal"], process, self._epoch))
            if self._spec["outstanding"] == 1:
                yield from self._perform(driver, process, operation)
                free.items.append(slot)
            else:
                yield Spawn(self._in_slot(driver, process, operation, free, slot), f"operation {call}")
        for _ in range(self._spec["outstanding"]):
            yield Get(free)
        yield from driver.close()

    def _in_slot(self, driver: Driver, process: int, operation: Operation, free: Queue, slot: int) -> Program:
        yield from self._perform(driver, process, operation)
        yield Put(free, slot)

    def _gates_before(self, call: int) -> Iterator[int]:
        if call in self._gated:
            yield call
        if call == self._spec["calls"] - self._spec["after_heal"] + 1:
            yield HEAL

    def _pass_gates(self, process: int, call: int) -> Program:
        for gate in self._gates_before(call):
            yield from self._gate(process, call, gate)

    def _gate(self, process: int, call: int, gate: int) -> Program:
        client = client_number(self._spec["ordinal"], process, self._epoch)
        self._witness.note(Kind.GATE, client, call, 0, process, {"gate": gate})
        yield from self.gates.reach(gate)

    def _all_reached(self, gate: int) -> Program:
        if gate == HEAL:
            yield from self._tell_heal_gate()
        else:
            yield from self._reports.announce("gate", gate)

    def _tell_heal_gate(self) -> Program:
        """Once, when every process waits for heal and none of their calls is open."""
        if self.gates.reached(HEAL) and not self.open and not self._told:
            self._told = True
            yield from self._reports.announce("heal-gate")

    def _begin(self, driver: Driver, process: int, call: int) -> Operation:
        """Open it before its program is spawned: an engine may run the programs of two operations in either order."""
        client = client_number(self._spec["ordinal"], process, self._epoch)
        intent = intent_number(self._spec["ordinal"], process, call)
        procedure, value = self._operation(intent - turn(call, self._members))
        operation = Operation(call, intent, procedure, value, any(self._gates_before(call)))
        detail = {"intent": intent, "f": procedure, "value": operation.value}
        self._witness.note(Kind.INVOKE, client, call, 0, process, detail)
        self.open += 1
        driver.begin(operation)
        return operation

    def _perform(self, driver: Driver, process: int, operation: Operation) -> Program:
        client, call = client_number(self._spec["ordinal"], process, self._epoch), operation.seq
        try:
            outcome = yield from driver.invoke(operation)
        except DriverFailed:
            raise
        except Exception as error:
            outcome = Outcome(End.INFO, f"{type(error).__name__}: {error}")
        self.open -= 1
        self.completed += 1
        key = "value" if outcome.end is End.OK else "error"
        told = {key: outcome.value} | ({"attempts": outcome.attempts} if outcome.attempts else {})
        self._witness.note(COMPLETION[outcome.end], client, call, 0, process, told)
        if outcome.end is End.OK:
            yield from self._reports.tell("ok", call, client)
        yield from self._reports.tell("end", call, client)
        yield from self._tell_heal_gate()


def operations(workload: str) -> Workload:
    """What the workload of that name does for each intent."""
    return _called if workload == CALL else WORKLOADS[workload]


def _called(intent: int) -> tuple[str, int]:
    return CALL, intent
