"""Clients with several open calls: an engine may run the programs of two operations in either order."""

from __future__ import annotations

from collections.abc import Sequence

import suite

from nodes import engines
from nodes.wire.record import Kind
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand
from orchestrator.scenario.shipped import plans

SEEDS = 10
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


def many_open(names: Sequence[str]) -> Sequence[Cell]:
    return expand(MANY_OPEN.replace("ENGINES", ", ".join(names)), "many-open.yaml").cells


def seeded(cell: Cell, seed: int) -> Cell:
    axes = {**cell.axes, "seed": str(seed)}
    return cell.model_copy(update={"seed": seed, "axes": axes, "cell": f"{cell.cell},seed={seed}"})


def test_no_operation_is_stale_before_it_was_executed() -> None:
    row = suite.applicable(plans(["rpc/06-reordered"]))
    cells = [seeded(cell, seed) for cell in (*row, *many_open(["epoll"])) for seed in range(1, SEEDS + 1)]
    assert suite.not_met(suite.run(cells, "sim")) == []


def test_nor_is_one_on_real_engines() -> None:
    here = [name for name in engines.NAMES if engines.availability(name) is None]
    ran = suite.run(many_open(here), "local")
    assert suite.not_met(ran) == []
    for one in ran:
        sends = [event for event in one.history.events if event.kind is Kind.SEND]
        assert sends
        assert all(0 < event.detail["first"] <= event.seq for event in sends)
