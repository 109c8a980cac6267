"""Processes that need more descriptors than are allowed are a problem, with the limit that would do."""

from __future__ import annotations

import pytest

from chaos.planes import room
from nodes import descriptors as allowed
from orchestrator.backends import refusals
from orchestrator.backends.descriptors import OF_A_NODE
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: many
nodes:
  server: {{service: counter{server}}}
  client: {{workload: add, clients: 60}}
  other: {{workload: add, clients: 20}}
links:
  - {{from: client, to: server, semantics: maybe, transport: {transport}, via: {via}}}
  - {{from: other, to: server, semantics: maybe, transport: {transport}, via: {via}}}
expect:
  others: {{client: ok, executions: 1}}
"""


def cell(transport: str = "tcp", via: str = "relay", server: str = "") -> Cell:
    (cell,) = expand(SCENARIO.format(transport=transport, via=via, server=server), "many.yaml").cells
    return cell


def refused(cell: Cell, limit: int | None) -> dict[tuple[str | int, ...], str]:
    return {problem.path: problem.message for problem in refusals.descriptors(cell, limit)}


def test_a_server_has_a_descriptor_for_each_client_and_a_relay_two() -> None:
    problems = refused(cell(), 60)
    assert set(problems) == {("nodes", "server"), ("nodes", "client"), ("links", 0)}
    assert "may need 96 open files, and 60 are allowed here; allow more (ulimit -n 96)" in problems["nodes", "server"]
    assert "ulimit -n 280" in problems["links", 0]
    assert set(refused(cell(), 95)) == {("nodes", "server"), ("links", 0)}
    assert set(refused(cell(), 96)) == set(refused(cell(), 279)) == {("links", 0)}
    assert refused(cell(), 280) == refused(cell(), None) == {}


def test_datagrams_come_at_one_socket() -> None:
    assert set(refused(cell("udp"), OF_A_NODE + 2)) == {("nodes", "client"), ("nodes", "other"), ("links", 0)}
    assert "ulimit -n 160" in refused(cell("udp"), 159)["links", 0]
    assert refused(cell("udp"), 160) == {}


def test_a_direct_link_has_no_relay() -> None:
    assert set(refused(cell(via="direct"), 95)) == {("nodes", "server")}


def test_a_node_with_a_limit_of_its_own_is_meant_to_have_it() -> None:
    assert set(refused(cell(server=", limits: {files: 40}"), 60)) == {("nodes", "client"), ("links", 0)}


@pytest.mark.parametrize("links", [1, 2, 5])
@pytest.mark.parametrize("sockets", [9, 40, 198])
def test_the_limit_asked_for_is_the_least_that_gives_a_link_its_sockets(
    links: int, sockets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = room.descriptors_for(links, sockets)
    for limit, enough in ((needed, True), (needed - 1, False)):
        monkeypatch.setattr(allowed, "limit", lambda limit=limit: limit)
        assert (room.sockets_of_a_link(links) >= sockets) is enough


def test_few_sockets_are_a_links_under_any_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowed, "limit", lambda: 10)
    assert room.sockets_of_a_link(3) == room.LEAST
    assert room.descriptors_for(3, room.LEAST) == 0
