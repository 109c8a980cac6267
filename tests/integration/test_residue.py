"""What tests leave in the engine fails their session; what another session may still need does not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import docker
import psutil
import pytest

from orchestrator.backends.docker.labels import Owner
from orchestrator.leftovers import alive, place

TESTS = Path(__file__).parents[1]
SOURCE = """
import requirements

requirements.PATIENCE = 0.0

def test_it(docker_engine):
    docker_engine.volumes.create({name!r}, labels={labels!r})
"""
GONE = "1:1.0"
"""Process 1 lives, and is not that old."""


def closing(folder: Path, name: str, orchestrator: str) -> str:
    """-> what pytest prints about a session that leaves a volume behind."""
    for file in ("conftest.py", "requirements.py", "toxiproxy_image.py"):
        shutil.copy(TESTS / file, folder)
    labels = Owner("residue", orchestrator, place()).labels()
    (folder / "test_leaving.py").write_text(SOURCE.format(name=name, labels=labels))
    command = [sys.executable, "-I", "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("orchestrator", [GONE, "living"])
def test_a_session_leaves_nothing_of_its_own(
    docker_engine: docker.DockerClient, tmp_path: Path, orchestrator: str
) -> None:
    assert not alive(GONE)
    name = f"faultbed-test-{uuid.uuid4().hex[:8]}"
    with subprocess.Popen(["sleep", "600"]) as other:
        living = f"{other.pid}:{psutil.Process(other.pid).create_time()}"
        try:
            said = closing(tmp_path, name, living if orchestrator == "living" else orchestrator)
        finally:
            other.kill()
            docker_engine.volumes.get(name).remove()
    assert (f"volume {name}" in said) == (orchestrator == GONE), said
    assert said.splitlines()[-1].startswith("1 passed in" if orchestrator == "living" else "1 passed, 1 error in")
