"""`.ci/run` starts an engine where none answers, and stops exactly that one, whatever becomes of the tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from running import until

ROOT = Path(__file__).parents[2]

# Stand-ins for the programs, on a PATH of their own: an engine answers while the process in dockerd.pid lives.
PROGRAMS = {
    "docker": '[ -e engine ] || kill -0 "$(cat dockerd.pid 2>/dev/null)" 2>/dev/null',
    "dockerd": "echo $$ >dockerd.pid; exec sleep 600",
    "make": '[ "$1" = test ] || exit 0; touch testing; eval "$TESTS"',
}
CLOSING = "1 failed, 3 passed in 1.00s"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A working copy in which `.ci/install` and the command `faultbed` do nothing."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    for path in (".ci/install", ".venv/bin/faultbed", *(f"programs/{name}" for name in PROGRAMS)):
        script = tmp_path / path
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f"#!/bin/sh\n{PROGRAMS.get(script.name, 'exit 0')}\n")
        script.chmod(0o755)
    return tmp_path


def start(clone: Path, tests: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PATH": f"{clone / 'programs'}:{os.environ['PATH']}", "TESTS": tests}
    return subprocess.Popen([clone / ".ci" / "run"], env=environment, stdout=subprocess.PIPE, text=True)


def engine(clone: Path) -> int:
    return int((clone / "dockerd.pid").read_text())


def test_the_closing_line_is_last_and_the_engine_is_stopped(clone: Path) -> None:
    run = start(clone, f"echo '{CLOSING}'; echo 'make: an error'; exit 2")
    said, _ = run.communicate(timeout=100)
    assert run.returncode == 2
    assert said.splitlines()[-1] == CLOSING
    assert not psutil.pid_exists(engine(clone))


def test_an_engine_that_answers_is_left_alone(clone: Path) -> None:
    (clone / "engine").touch()
    run = start(clone, f"echo '{CLOSING}'")
    said, _ = run.communicate(timeout=100)
    assert run.returncode == 0
    assert said.splitlines()[-1] == CLOSING
    assert not (clone / "dockerd.pid").exists()


def test_it_is_stopped_too_if_ci_is_ended(clone: Path) -> None:
    run = start(clone, "sleep 0.5")
    until(lambda: (clone / "testing").exists(), "the tests to begin")
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=100)
    assert run.returncode == 128 + signal.SIGTERM
    assert not psutil.pid_exists(engine(clone))


def test_an_engine_that_does_not_start_is_told(clone: Path) -> None:
    (clone / "programs" / "dockerd").write_text("#!/bin/sh\necho no permission; exit 1\n")
    run = subprocess.run(
        [clone / ".ci" / "run"],
        env={**os.environ, "PATH": f"{clone / 'programs'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert ".ci/run: dockerd ended:\nno permission" in run.stderr
    assert not (clone / "testing").exists()
