"""An altered argument may be no argument any more: its server says so, and owes no other answer. Whoever is told an
altered result is told what the reply carried."""

from __future__ import annotations

import suite

from nodes.wire.record import Kind
from orchestrator.history.index import Index
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: corrupted-arguments
matrix: {transport: [udp, tcp]}
nodes:
  server: {service: counter}
  client: {workload: add, calls: 5}
links:
  - {from: client, to: server, semantics: exactly-once, transport: "${transport}", codec: msgpack}
faults:
  - {corrupt: request, link: client -> server, operations: [3]}
expect:
  others: {client: ok, executions: 1}
"""


def test_whatever_bits_are_flipped_the_mechanism_is_not_convicted() -> None:
    cells = expand(SCENARIO, "corrupted-arguments.yaml").cells
    ran = suite.run([suite.seeded(cell, seed) for cell in cells for seed in range(1, 21)], "sim")
    assert suite.not_met(ran) == []
    refused = [one for one in ran if any(event.kind is Kind.BROKEN for event in one.history.events)]
    assert refused, "of so many alterations some make no argument"


def test_whoever_was_told_an_altered_result_convicts_no_mechanism() -> None:
    cells = expand(SCENARIO.replace("corrupt: request", "corrupt: reply"), "corrupted-results.yaml").cells
    ran = suite.run([suite.seeded(cell, seed) for cell in cells for seed in range(1, 11)], "sim")
    assert suite.not_met(ran) == []
    traces = [trace for one in ran for trace in Index(one.history).invoked.values() if trace.ending == "ok"]
    assert any(trace.told not in [row.detail["result"] for row in trace.effects] for trace in traces)
    named = [{found.name for found in one.result.judgement.expectations} for one in ran if one.result.judgement]
    assert all({"replies", "reference"} <= names for names in named)
