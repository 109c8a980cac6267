"""Limits of a node: how a scenario says them, and which backend can set which."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.backends import named
from orchestrator.backends.refusals import files
from orchestrator.scenario.cell import Limits
from orchestrator.scenario.document import BadScenario
from orchestrator.scenario.plan import Plan, load

TEXT = """
scenario: limited
about: A server with little.
nodes:
  server: {{service: counter, limits: {limits}}}
  client: {{workload: add}}
links:
  - {{from: client, to: server, semantics: maybe, transport: udp}}
faults:
  - {{drop: request, link: client -> server, operations: [2]}}
expect:
  others: {{client: ok, executions: 1}}
"""


def plan(folder: Path, limits: str) -> Plan:
    path = folder / "limited.yaml"
    path.write_text(TEXT.format(limits=limits))
    return load(path)


def test_limits_are_read(tmp_path: Path) -> None:
    (cell,) = plan(tmp_path, "{cpus: 0.5, memory: 64000000, files: 256}").cells
    assert cell.servers["server"].limits == Limits(cpus=0.5, memory=64_000_000, files=256)
    assert cell.clients["client"].limits == Limits()


@pytest.mark.parametrize(
    "limits",
    ["{cpus: 0}", "{memory: 1000}", "{files: 3}", "{disk: 5}", "[1]", "{cpus: many}", "{files: -1}", "{processes: 2}"],
)
def test_a_limit_that_is_none_is_told_with_its_place(tmp_path: Path, limits: str) -> None:
    with pytest.raises(BadScenario, match=r"nodes\.server\.limits"):
        plan(tmp_path, limits)


@pytest.mark.parametrize(
    ("backend", "limits", "refused"),
    [
        ("docker", "{cpus: 1, memory: 64000000, files: 256, processes: 99}", None),
        ("local", "{processes: 99}", "processes"),
        ("attach", "{processes: 99}", "processes"),
        ("local", "{files: 256}", None),
        ("local", "{cpus: 1, files: 256}", "cpus"),
        ("local", "{memory: 64000000, cpus: 1}", "cpus and memory"),
        ("sim", "{files: 256}", "files"),
        ("attach", "{cpus: 1}", "cpus"),
        ("sim", "{}", None),
    ],
)
def test_what_a_backend_cannot_limit_is_refused_before_anything_starts(
    tmp_path: Path, backend: str, limits: str, refused: str | None
) -> None:
    found = list(named(backend).problems(plan(tmp_path, limits).cells[0]))
    if refused is None:
        assert found == []
        return
    assert [problem.path for problem in found] == [("nodes", "server", "limits")]
    assert f"--backend {backend} cannot limit the {refused} of a node" in found[0].message


def test_more_files_than_the_machine_allows_are_refused_before_anything_starts(tmp_path: Path) -> None:
    (cell,) = plan(tmp_path, "{files: 4097}").cells
    (problem,) = files(cell, 4096)
    assert problem.path == ("nodes", "server", "limits", "files")
    assert problem.message.startswith("4097 open files are more than the 4096 that this machine allows")
    assert list(files(cell, 4097)) == list(files(cell, None)) == []
