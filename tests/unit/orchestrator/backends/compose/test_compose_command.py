"""One command of Compose: what it says, how it is ended, and how each failure is told. A script stands for it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from orchestrator.backends.compose import project
from orchestrator.backends.compose.compose import Compose, check_compose, surroundings, version
from orchestrator.run.session import SessionError


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program `docker`, to be written by the test."""
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program


def says(program: Path, script: str) -> Compose:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Compose("p", [Path("/x/c.yml")], {})


def test_what_it_prints_may_be_any_bytes(docker: Path) -> None:
    assert says(docker, r"printf '\377 is no text\n'").run("reading the logs", 60, "logs") == "\ufffd is no text\n"


def test_logs_go_to_their_file_as_they_are_and_only_the_last_of_them(
    docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept in memory, or whole, those of a service that talks much would end the run."""
    says(docker, r"""printf '\377 %s\n' "$*" """)
    monkeypatch.setattr(project, "connect", lambda: None)
    project.ComposeProject("p", "r", [Path("/x/c.yml")], {}).logs(tmp_path / "log")
    assert (tmp_path / "log").read_bytes().startswith(b"\xff compose")
    assert f"--tail {project.KEPT_LINES}" in (tmp_path / "log").read_text(errors="replace")


def test_its_failure_is_one_message_with_its_last_words(docker: Path) -> None:
    compose = says(docker, "echo 'subnet is taken' >&2; exit 7")
    with pytest.raises(
        SessionError, match=r"(?s)creating x of /x/c.yml: docker compose failed \(7\):.*subnet is taken"
    ):
        compose.run("creating x", 60, "create")


@pytest.mark.parametrize("said", ["", "no JSON", "[1]"])
def test_what_is_no_project_is_told(docker: Path, said: str) -> None:
    with pytest.raises(SessionError, match="Compose says"):
        says(docker, f"echo '{said}'").config()


def test_one_that_cannot_be_started_is_told(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker.touch(0o644)
    monkeypatch.setenv("PATH", str(docker.parent))
    with pytest.raises(SessionError, match="cannot be started"):
        Compose("p", [Path("/x/c.yml")], {}).run("creating x", 60, "create")


def test_one_that_takes_too_long_is_ended_with_all_that_it_started(docker: Path, tmp_path: Path) -> None:
    compose = says(docker, f"sleep 1000 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(SessionError, match="has not done it within"):
        compose.run("building", 0.5, "build")
    child = (tmp_path / "child").read_text().strip()
    assert not child or not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text()


def test_aborting_ends_what_goes_on_and_lets_nothing_begin_but_what_undoes(docker: Path, tmp_path: Path) -> None:
    compose = says(docker, f"case $* in *down*) echo gone;; *) touch {tmp_path}/begun; sleep 1000 & wait;; esac")
    failures: list[str] = []

    def up() -> None:
        try:
            compose.run("starting", 900, "up")
        except SessionError as error:
            failures.append(str(error))

    thread = threading.Thread(target=up)
    thread.start()
    while not (tmp_path / "begun").exists():
        pass
    compose.abort()
    thread.join()
    assert "docker compose failed" in failures[0]
    with pytest.raises(SessionError, match="was ended"):
        compose.run("starting", 60, "up")
    with pytest.raises(SessionError, match="was ended"):
        compose.with_only(Path("/x/more.yml")).run("building", 60, "build")
    assert compose.run("taking down", 60, "down", undoing=True) == "gone\n"


def test_it_works_at_the_engine_where_our_client_is() -> None:
    """The command line goes by contexts, which the client does not know."""
    assert surroundings({"DOCKER_CONTEXT": "production", "A": "1"}, {"B": "2"}) == {
        "DOCKER_HOST": "unix:///var/run/docker.sock",
        "A": "1",
        "B": "2",
    }
    assert surroundings({"DOCKER_HOST": "unix:///mine"}, {})["DOCKER_HOST"] == "unix:///mine"


@pytest.mark.parametrize(
    ("script", "said"), [("exit 1", "failed"), ("echo 2.20.0", "2.24.4 or newer"), ("echo odd", "of version odd")]
)
def test_a_compose_that_is_no_use_is_told_with_the_remedy(docker: Path, script: str, said: str) -> None:
    says(docker, script)
    with pytest.raises(SessionError, match=said):
        check_compose()


def test_versions() -> None:
    assert version("v2.26.1-4") == (2, 26, 1)
