"""Triggers come in whole runs, wherever they are waited for: before heal, which would let everything go on anyway."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import suite
from suite import Ran

from nodes.wire.record import Kind
from orchestrator.history.merged import Event
from orchestrator.report.result import Exit
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: come
nodes:
  server: {service: counter}
  other: {service: counter}
  client: {workload: add, calls: 6, gates: {GATES}}
  second: {workload: add, calls: 6}
links:
  - {from: client, to: server, semantics: exactly-once, transport: tcp}
  - {from: second, to: other, semantics: exactly-once, transport: tcp}
faults:
  - {FAULT}
expect:
  bitten: {client: ok, executions: 1}
"""


class Case(NamedTuple):
    """`before`: what must be there before heal, as (node, epoch, kind, operation)."""

    fault: str
    before: tuple[str, int, Kind, int]
    gates: str = ""
    backends: tuple[str, ...] = ("sim", "local")


CASES = {
    "restart of one that is stopped": Case(
        "pause: server, at: received, operation: 3, restart: {when: second ok 4}",
        ("server", 2, Kind.READY, 0),
        backends=("local",),
    ),
    "restart of one that was killed": Case(
        "kill: server, at: received, operation: 3, restart: {when: second ok 4}",
        ("server", 2, Kind.READY, 0),
    ),
    "a kill at a failpoint is on": Case(
        "kill: server, at: received, operation: 3, name: crash, restart: {when: crash on}",
        ("server", 2, Kind.READY, 0),
    ),
    "a pause at a failpoint is off": Case(
        "pause: server, at: received, operation: 2, name: stop, lasts: 50ms",
        ("client", 1, Kind.INVOKE, 3),
        "3: stop off",
        ("local",),
    ),
    "a fault that begins with the load is on": Case(
        "drop: request, link: client -> server, operations: [3], name: lost",
        ("client", 1, Kind.INVOKE, 2),
        "2: lost on",
    ),
    "a server is ready before clients are": Case(
        "drop: request, link: client -> server, operations: [3]",
        ("client", 1, Kind.INVOKE, 2),
        "2: server ready 1",
    ),
    "and off, when it has lasted": Case(
        "delay: request, by: 30ms, link: client -> server, lasts: 80ms, name: cut",
        ("client", 1, Kind.INVOKE, 2),
        "2: cut off",
    ),
}


def cell(name: str, case: Case) -> Cell:
    (made,) = expand(SCENARIO.replace("FAULT", case.fault).replace("GATES", case.gates), "come.yaml").cells
    return made.model_copy(update={"cell": f"case={name}", "axes": {"case": name}})


@pytest.fixture(scope="module")
def sim() -> dict[str, Ran]:
    return every("sim")


@pytest.fixture(scope="module")
def local() -> dict[str, Ran]:
    return every("local")


def every(backend: str) -> dict[str, Ran]:
    made = [cell(name, case) for name, case in CASES.items() if backend in case.backends]
    return {one.result.cell.axes["case"]: one for one in suite.run(made, backend, idle=True)}


def heal(events: tuple[Event, ...]) -> int:
    return next(event.order for event in events if event.detail.get("phase") == "heal")


@pytest.mark.parametrize(
    ("name", "backend"), [(name, backend) for name, case in CASES.items() for backend in case.backends]
)
def test_it_came_before_heal(name: str, backend: str, request: pytest.FixtureRequest) -> None:
    ran: Ran = request.getfixturevalue(backend)[name]
    assert ran.result.exit_code is Exit.MET, suite.not_met([ran])
    node, epoch, kind, seq = CASES[name].before
    found = [
        event.order
        for event in ran.history.events
        if (event.node, event.epoch, event.kind, event.seq) == (node, epoch, kind, seq)
    ]
    assert found
    assert found[0] < heal(ran.history.events)


def test_one_that_comes_back_while_the_first_of_all_are_said_to_be_ready() -> None:
    """The server's ready kills the other, and what else it begins lasts longer than the other's death."""
    fault = "kill: other, when: server ready 1, restart: {after: 0ms}}\n" + "\n".join(
        f"  - {{partition: {way}, link: {link}, when: server ready 1, lasts: 20ms}}"
        for link in ("client -> server", "second -> other")
        for way in ("request", "reply")
    )
    (ran,) = suite.run([cell("back", Case(fault.removesuffix("}"), ("other", 2, Kind.READY, 0)))], "sim")
    assert ran.result.exit_code is Exit.INCONCLUSIVE, "nobody calls yet: no kill and no partition bites"
    ready = [(event.node, event.epoch) for event in ran.history.events if event.kind is Kind.READY]
    assert ready.count(("other", 2)) == 1
