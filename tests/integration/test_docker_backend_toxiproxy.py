"""A Toxiproxy of the cell's own in a container, told of a server that was killed and came back without its volume."""

from __future__ import annotations

from pathlib import Path

import docker
import pytest
from docker_rig import cells

from nodes.wire.record import Kind
from orchestrator.backends import ready
from orchestrator.backends.docker.leftovers import things
from orchestrator.backends.leftovers import orchestrator_id
from orchestrator.checkers.verdict import Met
from orchestrator.report.result import Task
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import HISTORY, Store, read_history

AXES = {"via": "toxiproxy", "transport": "tcp", "semantics": "exactly-once"}


@pytest.mark.timeout(200)
@pytest.mark.usefixtures("node_image")
def test_a_server_restarts_behind_it(docker_engine: docker.DockerClient, tmp_path: Path, toxiproxy_image: str) -> None:
    """A dead container's address refuses nothing: Toxiproxy must not be stuck in a connection to it."""
    scenario = cells("containers/11-history-lost-direct")
    cell = next(cell for cell in scenario if AXES.items() <= cell.axes.items())
    with ready("docker", {"toxiproxy_image": toxiproxy_image}) as containers:
        (result,) = run_cells([Task(cell)], containers, 1, Store(tmp_path, "now"), lambda _: None)
    assert result.problem is None
    assert result.judgement is not None
    assert result.directory is not None
    assert [found for found in result.judgement.expectations if found.verdict is Met.UNMET] == []
    events = read_history(result.directory / HISTORY).events
    upstreams = [event.epoch for event in events if event.kind is Kind.READY and event.node == "server"]
    assert upstreams == [1, 2]
    assert [thing for thing in things(docker_engine) if thing.owner.orchestrator == orchestrator_id()] == []
