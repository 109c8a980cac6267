"""compose.yaml with a real engine: verdicts, exit codes, results on the host, and nothing that it should not have."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from requirements import need

from orchestrator.report.result import Exit

ROOT = Path(__file__).parents[2]
PATIENCE = 300
TIMES = 3
ALONE = """
services:
  orchestrator:
    command: [run, scenarios/rpc/demo.yaml, --only, "fault=request lost,semantics=maybe", --out, results/up]
"""
SOCKETS = ("split-and-joined", "datagram-repeated", "multicast-receiver-dies", "unix-server-dies")
WRONG = """
scenario: wrong
nodes:
  server: {service: counter, place: {host: agent-2}}
  client: {workload: add, calls: 4, place: {os: linux}}
links:
  - {from: client, to: server, semantics: exactly-once}
faults:
  - {drop: reply, link: client -> server, operations: [2]}
expect:
  bitten: {client: ok, executions: 2}
"""

pytestmark = pytest.mark.timeout(PATIENCE)


class Project:
    """compose.yaml in a folder of its own, under its own project name."""

    def __init__(self, folder: Path, image: str, toxiproxy: str) -> None:
        self.folder = folder
        self._environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": f"faultbed-test-{os.getpid()}",
            "FAULTBED_IMAGE": image,
            "FAULTBED_TOXIPROXY_IMAGE": toxiproxy,
            "FAULTBED_USER": f"{os.getuid()}:{os.getgid()}",
        }

    def compose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", "compose", *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """As tests/scenarios/suite.py has it, what shows nothing on a busy machine is made again."""
        for _ in range(TIMES):
            done = self.compose("run", "--rm", "--no-TTY", "orchestrator", "run", *arguments)
            if done.returncode != Exit.INCONCLUSIVE:
                break
        return done


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, node_image: str, toxiproxy_image: str) -> Iterator[Project]:
    need("docker", "docker")
    folder = tmp_path_factory.mktemp("compose")
    shutil.copy(ROOT / "compose.yaml", folder)
    shutil.copytree(ROOT / "compose", folder / "compose")
    shutil.copytree(ROOT / "scenarios", folder / "scenarios")
    (folder / "results").mkdir()
    found = Project(folder, node_image, toxiproxy_image)
    if (answer := found.compose("version")).returncode != 0:
        pytest.skip(f"docker: no compose: {answer.stderr}")
    yield found
    down = found.compose("down", "--volumes", "--timeout", "3")
    assert down.returncode == 0, down.stderr


def services(project: Project) -> dict[str, dict[str, Any]]:
    answer = project.compose("config", "--format", "json")
    assert answer.returncode == 0, answer.stderr
    found: dict[str, dict[str, Any]] = json.loads(answer.stdout)["services"]
    return found


def test_nothing_is_privileged_and_no_socket_is_mounted(project: Project) -> None:
    for name, service in services(project).items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is True, name
        assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "ports"} & service.keys(), name
        assert not [mount for mount in service.get("volumes", ()) if "docker.sock" in mount["source"]], name


def test_run_prints_the_verdicts_and_brings_the_results_to_the_host(project: Project) -> None:
    done = project.run("scenarios/rpc/demo.yaml", "--only", "fault=crash after commit,semantics=exactly-once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 cell runs: 1 met" in done.stdout
    history, *_ = (
        path for path in (project.folder / "results/demo").rglob("history.msgpack") if "latest" not in str(path)
    )
    assert history.stat().st_uid == os.getuid()


def test_the_exit_code_is_the_verdict(project: Project) -> None:
    (project.folder / "scenarios/wrong.yaml").write_text(WRONG)
    done = project.run("scenarios/wrong.yaml")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 cell runs: 1 UNMET" in done.stdout


def test_links_through_toxiproxy(project: Project) -> None:
    done = project.run("scenarios/containers/02-reply-lost-timeout.yaml", "--only", "semantics=exactly-once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bitten=1" in done.stdout


def test_messages_on_sockets(project: Project) -> None:
    """A stream, datagrams, a group and a Unix socket, whose ends one agent has."""
    done = project.run(*(f"scenarios/sockets/{name}.yaml" for name in SOCKETS), "--jobs", "4")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {name for name in SOCKETS if f"met          {name} " in done.stdout} == set(SOCKETS)


def test_a_server_among_peers_that_do_not_behave(project: Project) -> None:
    """Its limit of descriptors is its agent's doing."""
    done = project.run("scenarios/mux/no-descriptors.yaml", "--only", "engine=epoll", "--jobs", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 cell runs: 3 met" in done.stdout


def test_packet_faults_are_refused_with_the_reason(project: Project) -> None:
    done = project.run("scenarios/containers/tcp-repairs.yaml")
    assert done.returncode == 4
    assert "packet faults need the nodes' network namespaces" in done.stdout + done.stderr


def test_up_ends_with_the_exit_code_of_the_orchestrator(project: Project) -> None:
    override = project.folder / "alone.yaml"
    override.write_text(ALONE)
    files = ("--file", "compose.yaml", "--file", "alone.yaml")
    done = project.compose(*files, "up", "--exit-code-from", "orchestrator", "--timeout", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project.folder / "results/up/demo/latest/summary.json").exists()
