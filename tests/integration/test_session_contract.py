"""Every backend's session against the contract: the simulator, this machine, agents, containers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import session_contract as contract
from agents import inventory, running_agents, token_file
from docker_rig import backend, cells

from nodes.ops import Program
from orchestrator.backends.attach.fleet import Fleet, connected
from orchestrator.backends.attach.inventory import load
from orchestrator.backends.attach.session import AttachSession
from orchestrator.backends.docker.session import DockerSession
from orchestrator.backends.docker.shared import DockerBackend
from orchestrator.backends.local.session import LocalSession
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real_time import run as run_in_real_time
from orchestrator.backends.sim.session import SimSession
from orchestrator.backends.sim.session import run as run_in_virtual_time
from orchestrator.run.specs import server_spec

CELL = cells("rpc/02-reply-lost")[0]
Check = Callable[[contract.Case], Program]
each = pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)


def keep(check: Check, session: Any, run: Callable[[Program, Any], Any]) -> None:
    def spec(epoch: int) -> dict[str, Any]:
        return server_spec(CELL, "server", epoch, session.address("server"))

    with session:
        judge: contract.Judge | None = run(check(contract.Case(session, spec)), session)
        session.close()  # which is done again at the end
        if judge is not None:
            judge(session.collect())


@each
def test_simulated(check: Check) -> None:
    keep(check, SimSession(7), run_in_virtual_time)


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(secrets.token_hex(8)) as running:
        yield running


@each
def test_on_this_machine(check: Check, supervisor: Supervisor, tmp_path: Path) -> None:
    keep(check, LocalSession(supervisor, tmp_path), run_in_real_time)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One agent, as a process of its own."""
    folder = tmp_path_factory.mktemp("agents")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))  # where agents keep their folders, and look for those of dead ones
        with running_agents(folder, ()) as (agent,):
            names = inventory(folder, token_file(folder), one=agent.address)
            with connected(load(names)) as made:
                yield made


@each
def test_at_an_agent(check: Check, fleet: Fleet, tmp_path: Path) -> None:
    keep(check, AttachSession(fleet, CELL, tmp_path), run_in_real_time)


@pytest.fixture(scope="module")
def containers(docker_engine: docker.DockerClient, node_image: str) -> Iterator[DockerBackend]:
    with backend(docker_engine, node_image) as made:
        yield made


@each
def test_in_containers(check: Check, containers: DockerBackend, tmp_path: Path) -> None:
    keep(check, DockerSession(containers, tmp_path), run_in_real_time)
