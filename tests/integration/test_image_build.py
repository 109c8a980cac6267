"""`faultbed image build` with a real engine: what it makes, for whom it runs, and what it says where it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound
from requirements import need
from running import COMMAND

from orchestrator.backends.docker.image import VERSION_LABEL, check_image
from orchestrator.image.debian import BASE

TAG = f"faultbed-test:{os.getpid()}-build"
PATIENCE = 600
"""Seconds: the first build of a base fetches Debian's packages."""

pytestmark = pytest.mark.timeout(PATIENCE)

ASK = """
import importlib.metadata, json, nodes, os, sys
print(json.dumps([os.getuid(), os.access("/data", os.W_OK), os.access(nodes.__file__, os.W_OK), sys.flags.isolated,
                  importlib.metadata.version("faultbed")]))
"""


def faultbed(*arguments: str, command: list[str] = COMMAND) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE)


def empty(tag: str) -> None:
    """An image of an archive with nothing in it (tar(5)) and the time, so that each is another image."""
    change = f"LABEL org.faultbed.test={time.time_ns()}"
    archive = b"\0" * 10240
    subprocess.run(["docker", "import", "--change", change, "-", tag], input=archive, check=True, capture_output=True)


@pytest.fixture(scope="module")
def built(docker_engine: docker.DockerClient) -> Iterator[str]:
    need("docker", "docker")
    if not docker_engine.images.list(name=BASE):
        need("mmdebstrap", "docker")
    done = faultbed("image", "build", "--base", "debian", "--tag", TAG)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{TAG}: "), "its size is told last"
    yield TAG
    docker_engine.images.remove(TAG)


def test_a_node_can_run_in_it(docker_engine: docker.DockerClient, built: str) -> None:
    check_image(docker_engine, built)
    output = docker_engine.containers.run(
        built, ["-I", "-c", ASK], entrypoint="python3", remove=True, network_mode="none"
    )
    assert json.loads(output) == [1000, True, False, 1, version("faultbed")]


def test_its_command_is_faultbed(docker_engine: docker.DockerClient, built: str) -> None:
    arguments = ["run", "rpc/02-reply-lost", "--only", "semantics=exactly-once,codec=xdr", "--backend", "sim"]
    output = docker_engine.containers.run(built, arguments, remove=True, network_mode="none").decode()
    assert "2 cell runs: 2 met" in output


def test_it_is_labelled_and_has_a_health_check(docker_engine: docker.DockerClient, built: str) -> None:
    image = docker_engine.images.get(built)
    assert image.labels[VERSION_LABEL] == image.labels["org.opencontainers.image.version"] == version("faultbed")
    assert image.attrs["Config"]["User"] == "faultbed"
    assert "/proc/net/tcp" in image.attrs["Config"]["Healthcheck"]["Test"][-1]
    assert not image.attrs["Config"].get("Volumes"), "an anonymous volume a container would be left behind"


def test_the_helpers_tools_are_in_it(docker_engine: docker.DockerClient, built: str) -> None:
    asked = "nft --version && tc -V"
    assert b"iproute2" in docker_engine.containers.run(built, ["-c", asked], entrypoint="sh", remove=True, user="0")


@pytest.mark.parametrize(("listens", "healthy"), [(True, True), (False, False)], ids=["listening", "not listening"])
def test_healthy_is_who_listens(docker_engine: docker.DockerClient, built: str, listens: bool, healthy: bool) -> None:
    check = docker_engine.images.get(built).attrs["Config"]["Healthcheck"]["Test"][1:]
    program = f"import socket, sys; s = socket.create_server(('0.0.0.0', 0)) if {listens} else 0; sys.stdin.read()"
    container = docker_engine.containers.run(
        built, ["-I", "-c", program], entrypoint="python3", detach=True, stdin_open=True, network_mode="none"
    )
    try:
        while listens and container.exec_run(["grep", "-q", " 0A ", "/proc/net/tcp"]).exit_code != 0:
            container.reload()
            assert container.status == "running"
        assert (container.exec_run(check).exit_code == 0) == healthy
    finally:
        container.remove(force=True)


def test_the_predecessor_is_not_left_behind(docker_engine: docker.DockerClient, built: str) -> None:
    """The engine has an unnamed image more after any build of changed files, unless somebody removes it."""
    tag = f"faultbed-test:{os.getpid()}-again"
    empty(tag)
    predecessor = docker_engine.images.get(tag)
    assert faultbed("image", "build", "--base", "debian", "--tag", tag).returncode == 0
    assert docker_engine.images.get(tag).id != predecessor.id
    docker_engine.images.remove(tag)
    with pytest.raises(ImageNotFound):
        predecessor.reload()


def test_a_base_without_python_is_refused(docker_engine: docker.DockerClient) -> None:
    bare = f"faultbed-test:{os.getpid()}-bare"
    empty(bare)
    try:
        done = faultbed("image", "build", "--base", bare, "--tag", "faultbed-test:never")
    finally:
        docker_engine.images.remove(bare)
    assert done.returncode == 3
    assert f"asking the base {bare} for its Python" in done.stderr
    assert not docker_engine.images.list(name="faultbed-test:never")


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    need("docker", "docker")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    done = faultbed("image", "build")
    assert done.returncode == 3
    assert done.stderr.startswith("faultbed: asking the engine whether it runs: docker failed with status 1:")
