"""What tests leave in the engine fails their session; what another session may still need does not."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import psutil
import pytest
from nested import lay_out

from orchestrator.backends.docker.labels import Owner
from orchestrator.backends.leftovers import alive, identity, place

SOURCE = """
def test_it(docker_engine):
    docker_engine.volumes.create({name!r}, labels={labels!r})
"""
NOBODY = 4194305
"""No process has this number: it is above every PID_MAX_LIMIT (proc(5))."""


def closing(folder: Path, name: str, orchestrator: str, *options: str) -> str:
    """-> what pytest prints about a session that leaves a volume behind."""
    labels = Owner("residue", orchestrator, place()).labels()
    command = lay_out(folder, SOURCE.format(name=name, labels=labels), *options)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.fixture
def name(docker_engine: docker.DockerClient) -> Iterator[str]:
    """Of a volume, which is removed if it is there."""
    made = f"faultbed-test-{uuid.uuid4().hex[:8]}"
    yield made
    for volume in docker_engine.volumes.list(filters={"name": made}):
        volume.remove()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "workers"])
def test_what_nobody_will_remove_fails_the_session_and_goes(
    docker_engine: docker.DockerClient, tmp_path: Path, name: str, workers: tuple[str, ...]
) -> None:
    gone = f"{NOBODY}:{time.time() + 3600}"  # began later than the session that will find it
    assert not alive(gone)
    said = closing(tmp_path, name, gone, *workers)
    assert f"volume {name}" in said
    assert said.splitlines()[-1].startswith("1 passed, 1 error in")
    assert docker_engine.volumes.list(filters={"name": name}) == []


@pytest.mark.parametrize("began", ["before", "meanwhile"])
def test_what_others_have_there_is_theirs(
    docker_engine: docker.DockerClient, tmp_path: Path, name: str, began: str
) -> None:
    """Of a session that goes on, or of one that ended before this one began."""
    with subprocess.Popen(["sleep", "600"]) as other:
        living = identity(psutil.Process(other.pid))
        try:
            said = closing(tmp_path, name, living if began == "meanwhile" else f"{NOBODY}:1.0")
        finally:
            other.kill()
    assert said.splitlines()[-1].startswith("1 passed in"), said
    assert len(docker_engine.volumes.list(filters={"name": name})) == 1
