"""However a system's run fails or is ended: one message at once, and nothing of it is left."""

from __future__ import annotations

import json
import queue
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest
from docker_rig import made_by
from requirements import need
from running import Running, until
from shop import DOCKERFILE, DRIVE, SERVICE

from orchestrator.backends.compose.project import ComposeProject
from orchestrator.backends.compose.proxy import ProxyHost, container_name, relay_service
from orchestrator.backends.docker.labels import Owner
from orchestrator.backends.host import Failed, Launch, Report
from orchestrator.backends.leftovers import orchestrator_id, place

SLOWEST = 100
"""Seconds for a run that fails or is ended; those of an error that nobody hears were more."""

COMPOSE = """
services:
  shop:
    build: .
    command: [python3, -u, /app/service.py]
    entrypoint: []
    user: root
    volumes: ["orders:/data"]
    healthcheck: {HEALTH}
    depends_on: {migrate: {condition: service_completed_successfully}}
  migrate:
    build: .
    command: [sh, -c, "MIGRATE"]
    entrypoint: []
    user: root
    volumes: ["orders:/data"]
    healthcheck: {disable: true}
volumes: {orders: }
networks: {default: {driver_opts: {com.docker.network.driver.mtu: "MTU"}}}
"""
GOOD = {"HEALTH": "disable: true", "MIGRATE": "python3 /app/service.py migrate", "MTU": "1400"}
LISTENS = (
    "test: [CMD, python3, -c, 'import socket; socket.create_connection((\"127.0.0.1\", 8080))'], "
    "interval: 1s, start_period: 60s"
)
NEVER = "test: [CMD, 'false'], interval: 1s, start_period: 600s, retries: 100"

SCENARIO = """
scenario: failing
system: {compose: docker-compose.yml}
links: [{from: driver, to: "shop:8080", framer: http1}]
driver: {exec: ./drive.py, calls: CALLS, timeout: 20s}
oracle: {http: "shop:8080/effects"}
faults: [{drop: reply, link: "driver -> shop:8080", operations: [2]}]
expect: {bitten: {client: ok, executions: 2}, others: {client: ok, executions: 1}}
load: 60s
"""

Write = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path, node_image: str) -> Write:
    """Writes the shop's folder; keyword arguments are what differs from a good one."""
    need("docker", "docker")

    def write(calls: int = 5000, build: str = "", **values: str) -> Path:
        text = COMPOSE
        for name, value in {**GOOD, **values}.items():
            text = text.replace(name, value)
        (tmp_path / "docker-compose.yml").write_text(text)
        (tmp_path / "Dockerfile").write_text(DOCKERFILE.replace("BASE", node_image) + build)
        (tmp_path / "service.py").write_text(SERVICE)
        (tmp_path / "failing.yaml").write_text(SCENARIO.replace("CALLS", str(calls)))
        shutil.copy(DRIVE, tmp_path)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"MTU": "odd"}, "invalid syntax"),
        ({"MIGRATE": "echo no schema; exit 3"}, "service migrate ended with exit code 3"),
        ({"HEALTH": "test: [CMD, 'false'], interval: 1s, retries: 1"}, "service shop is unhealthy"),
        ({"build": "RUN echo no compiler && false\n"}, "no compiler"),
    ],
)
def test_it_is_told_at_once_and_undone(
    project: Write, docker_engine: docker.DockerClient, values: dict[str, str], said: str
) -> None:
    with Running(project(**values), "run", "failing.yaml") as command:
        out, err = command.process.communicate(timeout=SLOWEST)
        assert command.process.returncode == 3, out + err
        assert said in out
        assert "Traceback" not in out + err
        assert made_by(docker_engine, command.process.pid) == []


def test_a_job_runs_to_its_end_once_before_who_waits_for_it(project: Write) -> None:
    """The shop itself asserts it. Without a health check it would be called as soon as it runs, and of three that start
    at once one may not listen yet: its first call were late."""
    with Running(project(calls=6, HEALTH=LISTENS), "run", "failing.yaml", "--repeat", "3", "--jobs", "3") as command:
        out, err = command.process.communicate(timeout=SLOWEST)
        assert command.process.returncode == 0, out + err


def starting(client: docker.DockerClient, command: Running) -> None:
    """The shop's container is there, and waits for its health."""
    until(lambda: any("-shop-" in thing.name for thing in made_by(client, command.process.pid)), "the shop", SLOWEST)


def building(client: docker.DockerClient, command: Running) -> None:
    until(lambda: bool(command.named("build")), "Compose to build", SLOWEST)


@pytest.mark.parametrize(
    ("moment", "values"), [(starting, {"HEALTH": NEVER}), (building, {"build": "RUN sleep 1000\n"})]
)
def test_an_interrupt_is_obeyed_while_the_project_comes_up(
    project: Write,
    docker_engine: docker.DockerClient,
    moment: Callable[[docker.DockerClient, Running], None],
    values: dict[str, str],
) -> None:
    with Running(project(**values), "run", "failing.yaml") as command:
        moment(docker_engine, command)
        command.process.send_signal(signal.SIGINT)
        out, err = command.process.communicate(timeout=SLOWEST)
        assert command.process.returncode == 130, out + err
        assert made_by(docker_engine, command.process.pid) == []
        command.all_gone()


def test_after_a_kill_clean_removes_what_was_built(project: Write, docker_engine: docker.DockerClient) -> None:
    with Running(project(), "run", "failing.yaml") as command:
        until(lambda: any(path.stat().st_size > 4096 for path in command.journals("driver")), "calls", SLOWEST)
        command.process.kill()
        command.end()
        assert "image" in {thing.kind for thing in made_by(docker_engine, command.process.pid)}
        with Running(project(), "clean") as cleaning:
            code, out, err = cleaning.end()
        assert code == 0, out + err
        assert "removed image faultbed-" in out
        assert made_by(docker_engine, command.process.pid) == []


@pytest.fixture
def taken(tmp_path: Path, docker_engine: docker.DockerClient, node_image: str) -> Iterator[ComposeProject]:
    """A project whose proxy's name somebody else's container has."""
    name = f"faultbed-test{secrets.token_hex(4)}"
    file = tmp_path / "compose.yml"
    networks = {"default": {"labels": Owner(name, orchestrator_id(), place()).labels()}}
    services = {"faultbed-proxy": relay_service(name, node_image)}
    file.write_text(json.dumps({"services": services, "networks": networks}))
    container = docker_engine.containers.create(node_image, name=container_name(name))
    project = ComposeProject(name, name, [file], {})
    try:
        yield project
    finally:
        project.down()
        project.close()
        container.remove()


def test_a_proxy_that_cannot_be_made_is_told_at_once(taken: ComposeProject, tmp_path: Path) -> None:
    told: queue.SimpleQueue[Report] = queue.SimpleQueue()
    host = ProxyHost(taken, tmp_path)
    host.spawn(Launch("relay", "relay", 1, None, "aa", tmp_path / "log"), told.put)
    failed = told.get(timeout=SLOWEST)
    assert isinstance(failed, Failed)
    assert "already in use" in failed.reason
    host.close()
