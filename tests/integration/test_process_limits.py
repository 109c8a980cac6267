"""The descriptor limit of a process that a supervisor starts."""

from __future__ import annotations

import queue
import resource
import sys
from pathlib import Path

import pytest
from limited import descriptors
from running import COMMAND, Running, long

from orchestrator.backends.host import Ended, Failed, Line, Report, Spawned
from orchestrator.backends.processes import Supervisor

PRINTS = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"


def reports(folder: Path, files: int | None, number: int) -> list[Report]:
    """The first so many of a process that prints its limits."""
    told: queue.SimpleQueue[Report] = queue.SimpleQueue()
    with Supervisor("a run") as supervisor:
        argv = [sys.executable, "-I", "-c", PRINTS]
        supervisor.spawn("a", argv, {}, folder, folder / "log", told.put, files)
        return [told.get(timeout=100) for _ in range(number)]


def test_a_process_has_as_many_descriptors_as_it_is_given(tmp_path: Path) -> None:
    spawned, line, ended = reports(tmp_path, 64, 3)
    assert isinstance(spawned, Spawned)
    assert line == Line("64 64")
    assert ended == Ended(0, 0)


def test_without_a_limit_it_has_the_users(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert reports(tmp_path, None, 2)[1] == Line(f"{soft} {hard}")


def test_more_than_the_system_allows_is_told(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        pytest.skip("this system allows any number of descriptors")
    (failed,) = reports(tmp_path, hard + 1, 1)
    assert isinstance(failed, Failed)
    assert f"limits.files: {hard + 1} is above this system's own limit of {hard}" in failed.reason


def test_more_than_the_system_allows_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "many.yaml").write_text(long("many").replace("yields: 20ms", "limits: {files: 4096}"))
    with Running(tmp_path, "run", "many.yaml", command=[*descriptors(1024), *COMMAND]) as run:
        code, out, err = run.end()
    assert (code, out) == (4, "")
    assert "many.yaml:5: nodes.server.limits.files: 4096 open files are more than the 1024 that this machine" in err
    assert not (tmp_path / "results").exists()
