"""A small scenario, and what a change of it comes to."""

from __future__ import annotations

import pytest

from orchestrator.scenario.cell import Cell
from orchestrator.scenario.document import BadScenario, Mistake
from orchestrator.scenario.plan import expand

BASE = """\
scenario: one
nodes:
  server: {service: counter}
  client: {workload: add, calls: 6}
links:
  - {from: client, to: server, semantics: exactly-once}
faults:
  - {drop: request, link: client -> server, operations: [2]}
expect:
  bitten: {client: ok, executions: 1}
"""
FAULT = "  - {drop: request, link: client -> server, operations: [2]}"
CLIENT = "  client: {workload: add, calls: 6}"


def cell(text: str) -> Cell:
    return expand(text, "f.yaml").cells[0]


def mistakes(text: str) -> tuple[Mistake, ...]:
    with pytest.raises(BadScenario) as caught:
        expand(text, "f.yaml")
    return caught.value.mistakes


def refused(text: str) -> Mistake:
    """The only thing that is wrong."""
    [mistake] = mistakes(text)
    return mistake


def with_fault(fault: str) -> str:
    return BASE.replace(FAULT, f"  - {{{fault}}}")
