"""What a test needs of the machine: it skips with the feature's word where that is missing, and FAULTBED_REQUIRE makes
a failure of such a skip (see conftest.py). Fixtures are at every test's hand; functions are imported."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import warnings
from collections.abc import Iterator

import docker
import pytest
from docker.errors import DockerException

from orchestrator.backends.docker.image import check_image, image_name
from orchestrator.run.session import SessionError

ALL = os.environ.get("FAULTBED_TESTS") == "all"
"""Tests that do the same again and again do all of it, as CI wants; else a share that finds most."""


def need(program: str, feature: str) -> str:
    """-> the program's path; else the test skips, and the reason names the feature."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{feature}: no program {program!r} on PATH")
    return path


def need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("root: these tests run as another user")


@pytest.fixture
def nobody() -> Iterator[str]:
    """ "127.0.0.1:PORT": nobody listens there or can begin to, so that connecting to it is refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host, port = taken.getsockname()
        yield f"{host}:{port}"


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.DockerClient]:
    """A client of the engine. What is left there when the session ends fails it (residue.py)."""
    client = connect()
    if isinstance(client, str):
        pytest.skip(f"docker: no engine answers: {client}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def node_image(docker_engine: docker.DockerClient) -> str:
    """The image of this version, as `faultbed image build` makes it."""
    name = image_name()
    try:
        check_image(docker_engine, name)
    except SessionError as error:
        pytest.skip(f"docker: {error}")
    return name


def connect() -> docker.DockerClient | str:
    """-> a client, or why there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # docker-py forgets its socket where nobody answers
        try:
            return docker.from_env()
        except DockerException as error:
            reason = str(error)
        gc.collect()
    return reason
