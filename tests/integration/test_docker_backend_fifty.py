"""Fifty nodes in containers: one scenario, started side by side, judged, and taken down."""

from __future__ import annotations

from pathlib import Path

import docker
import pytest
from docker_rig import cells

from nodes.wire.record import Kind
from orchestrator.backends import ready
from orchestrator.backends.docker.leftovers import things
from orchestrator.backends.leftovers import orchestrator_id
from orchestrator.checkers.verdict import Met, Verdict
from orchestrator.report.result import Task
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import HISTORY, Store, read_history


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("node_image")
def test_fifty_nodes_come_to_a_verdict_and_leave_nothing(docker_engine: docker.DockerClient, tmp_path: Path) -> None:
    (cell,) = cells("large/fifty")
    assert len(cell.servers) + len(cell.clients) + len({"relay"}) == 50
    with ready("docker") as containers:
        (result,) = run_cells([Task(cell)], containers, 1, Store(tmp_path, "now"), lambda _: None)
    assert result.problem is None
    assert result.judgement is not None
    assert result.directory is not None
    assert [found for found in result.judgement.expectations if found.verdict is Met.UNMET] == []
    assert [found for found in result.judgement.properties if found.verdict is Verdict.VIOLATED] == []
    starts = [event for event in read_history(result.directory / HISTORY).events if event.kind is Kind.START]
    assert len({event.node for event in starts}) == 51, "and the orchestrator"
    assert [thing for thing in things(docker_engine) if thing.owner.orchestrator == orchestrator_id()] == []
