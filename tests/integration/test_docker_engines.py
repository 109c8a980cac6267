"""What a container's engines are is asked in a container, before anything of a cell is started."""

from __future__ import annotations

import docker
import pytest

from nodes.engines import NAMES, availability
from orchestrator.backends import ready
from orchestrator.backends.docker.backend import SECCOMP
from orchestrator.backends.docker.engines import ASKED, unavailable
from orchestrator.backends.docker.leftovers import things
from orchestrator.scenario.plan import load
from orchestrator.scenario.shipped import find

FORBIDS = '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["io_uring_setup"], "action": "SCMP_ACT_ERRNO"}]}'

pytestmark = pytest.mark.usefixtures("docker_engine")


def problems(engine: str, seccomp: str) -> list[str]:
    (plan,) = (load(path) for path in find("rpc/02-reply-lost"))
    with ready("docker", {SECCOMP.name: seccomp}) as backend:
        return [problem.message for problem in backend.problems(plan.cells[0].on_engine(engine))]


def test_a_cell_whose_engine_seccomp_forbids_is_refused(node_image: str) -> None:
    server, client = problems("io_uring", FORBIDS)
    assert server == client
    assert f"engine io_uring cannot run in containers of {node_image}: io_uring_setup is forbidden here" in server
    assert "--seccomp gives nodes another seccomp profile" in server


def test_without_a_profile_it_can_what_it_can_here(node_image: str) -> None:
    here = availability("io_uring")
    if here is not None:
        pytest.skip(f"engine io_uring: {here}")
    assert problems("io_uring", "unconfined") == []


def test_asking_leaves_nothing_and_the_image_has_what_needs_installing(
    docker_engine: docker.DockerClient, node_image: str
) -> None:
    before = {thing.id for thing in things(docker_engine)}
    told = unavailable(node_image, "unconfined")
    assert set(told) == set(ASKED) == {"io_uring", "uvloop"}
    assert told["uvloop"] is None
    assert {thing.id for thing in things(docker_engine)} <= before


def test_others_are_everywhere_and_nobody_is_asked() -> None:
    assert problems("epoll", "no profile at all") == []
    assert set(NAMES) > set(ASKED)
