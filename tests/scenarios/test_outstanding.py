"""Clients with several open calls: an engine may run the programs of two operations in either order."""

from __future__ import annotations

from collections.abc import Sequence

import suite
from requirements import ALL

from nodes import engines
from nodes.wire.record import Kind
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand
from orchestrator.scenario.shipped import plans

SEEDS = 10 if ALL else 3
"""Of each cell in the simulator."""

MANY_OPEN = """
scenario: many-open
matrix:
  semantics: [at-most-once, exactly-once]
  engine: [ENGINES]
nodes:
  server: {service: counter, engine: "${engine}"}
  client: {workload: add, calls: 60, outstanding: 4, engine: "${engine}", retry: {first: 2s, maximum: 2s}}
links:
  - {from: client, to: server, semantics: "${semantics}", transport: udp}
faults:
  - {reorder: request, link: client -> server, every: 10}
expect:
  bitten: {client: ok, executions: 1}
  others: {client: ok, executions: 1}
  delivery: {holds: "${semantics}", under: [reordering], untried: [once]}
"""


LAST_BEFORE_HEAL = """
scenario: last-before-heal
about: The faults are on the last calls before heal, of which four are open; their repeats are done long before.
matrix:
  fault: [drop request, drop reply, delay request, delay reply, reordered request, reordered reply, copied, kill]
  semantics: [at-least-once, exactly-once]
  transport: [udp, tcp]
not_applicable:
  - {fault: delay reply, transport: tcp, reason: its connection does not last so long}
  - {fault: reordered reply, transport: tcp, reason: its connection ends with the attempt}
nodes:
  server: {service: counter, yields: 5ms}
  client: {workload: add, calls: 12, outstanding: 4, after_heal: 2}
links:
  - {from: client, to: server, semantics: "${semantics}", transport: "${transport}"}
faults:
  by: fault
  drop request: [{drop: request, link: client -> server, operations: [8, 9, 10]}]
  drop reply: [{drop: reply, link: client -> server, operations: [8, 9, 10]}]
  delay request: [{delay: request, by: 2s, link: client -> server, operations: [8, 9, 10]}]
  delay reply: [{delay: reply, by: 2s, link: client -> server, operations: [8, 9, 10]}]
  reordered request: [{reorder: request, link: client -> server, operations: [9]}]
  reordered reply: [{reorder: reply, link: client -> server, operations: [9]}]
  copied: [{duplicate: request, copy: at-reply, link: client -> server, operations: [8, 9, 10]}]
  kill: [{kill: server, at: before-commit, operation: 10, restart: {after: 20ms}}]
expect:
  bitten: {client: ok, executions: ">=1"}
"""


def many_open(names: Sequence[str]) -> Sequence[Cell]:
    return expand(MANY_OPEN.replace("ENGINES", ", ".join(names)), "many-open.yaml").cells


def test_no_operation_is_stale_before_it_was_executed() -> None:
    row = suite.applicable(plans(["rpc/06-reordered"]))
    cells = [suite.seeded(cell, seed) for cell in (*row, *many_open(["epoll"])) for seed in range(1, SEEDS + 1)]
    assert suite.not_met(suite.run(cells, "sim")) == []


def missed(ran: Sequence[suite.Ran]) -> list[str]:
    """The cells with an operation that a fault named and did not bite."""
    judged = [(one.result.cell.cell, one.result.judgement) for one in ran]
    return [name for name, judgement in judged if judgement is None or judgement.missed]


def last_before_heal(*faults: str) -> list[Cell]:
    cells = suite.applicable([expand(LAST_BEFORE_HEAL, "last-before-heal.yaml")])
    return [cell for cell in cells if not faults or cell.axes["fault"] in faults]


def test_faults_on_the_last_calls_before_heal_bite_all_of_them() -> None:
    cells = [suite.seeded(cell, seed) for cell in last_before_heal() for seed in (1, 2, 3)]
    ran = suite.run(cells, "sim")
    assert suite.not_met(ran) == []
    assert missed(ran) == []


def test_they_do_on_real_sockets() -> None:
    cells = last_before_heal("delay request", "delay reply", "drop reply")
    ran = suite.run([suite.unhurried(cell) for cell in cells], "local")
    assert suite.not_met(ran) == []
    assert missed(ran) == []


def test_nor_is_one_on_real_engines() -> None:
    here = [name for name in engines.NAMES if engines.availability(name) is None and engines.offer(name).shared]
    cells = [cell for cell in many_open(here) if cell.axes["semantics"] == "exactly-once"]
    ran = suite.run(cells, "local")
    assert suite.not_met(ran) == []
    for one in ran:
        sends = [event for event in one.history.events if event.kind is Kind.SEND]
        assert sends
        assert all(0 < event.detail["first"] <= event.seq for event in sends)
