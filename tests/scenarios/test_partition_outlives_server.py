"""A server dies behind a partition of packets and comes back behind it, on every backend that has networks of nodes."""

from __future__ import annotations

import pytest
import suite
from groups import ALONE
from requirements import need_root

from chaos.planes.packet import availability
from nodes.wire.record import Kind
from orchestrator.history.merged import Event, History
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: partition-outlives-server
nodes:
  server: {service: counter}
  client: {workload: add, calls: 8, gates: {3: server ready 2}, retry: {first: 50ms, maximum: 100ms}}
links:
  - {from: client, to: server, semantics: exactly-once, transport: udp, via: direct}
faults:
  - {partition: request, link: client -> server, name: split, when: client gate 3}
  - {kill: server, when: split on, restart: {after: 0ms}}
expect:
  bitten: {client: ok, executions: 1}
  others: {client: ok, executions: 1}
"""
BEHIND = 3
"""The operation that is begun when the server is back and the partition still on."""


@pytest.fixture(params=["local", pytest.param("docker", marks=ALONE)])
def history(request: pytest.FixtureRequest) -> History:
    need_root()
    if reason := availability.netfilter():
        pytest.skip(f"netfilter: {reason}")
    if request.param == "docker":
        request.getfixturevalue("node_image")
    (ran,) = suite.run(expand(SCENARIO, "scenario").cells, request.param)
    return ran.history


def events(history: History, kind: Kind, seq: int | None = None) -> list[Event]:
    return [event for event in history.events if event.kind is kind and seq in (None, event.seq)]


def test_the_rule_holds_in_the_servers_new_life(history: History) -> None:
    on, off = events(history, Kind.RULE)
    (again,) = (event for event in events(history, Kind.READY) if (event.node, event.epoch) == ("server", 2))
    assert [on.detail["active"], off.detail["active"]] == [True, False]
    assert on.time < again.time < off.time
    sent, received = events(history, Kind.SEND, BEHIND), events(history, Kind.RECEIVE, BEHIND)
    assert [event for event in sent if event.time < off.time]
    assert [event for event in received if event.time < off.time] == []
    (counter,) = events(history, Kind.COUNTER)
    assert counter.detail["packets"] == len(sent) - len(received) > 0
