"""A disk that takes no more: one message that names the file, exit code 3, and what was recorded stays readable."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import COMMAND, Running, in_process, long


def ended(folder: Path, command: list[str], *arguments: str) -> str:
    """Assert that the run ended as it should -> what was said."""
    with Running(folder, "run", "long.yaml", *arguments, command=command) as running:
        code, out, err = running.end()
        assert running.family() == []
    assert code == 3, out + err
    assert "Traceback" not in out + err
    for log in folder.rglob("*.log"):
        assert "Traceback" not in log.read_text(), log
    again, told, complaint = in_process(folder, "check", "results/long")
    assert again not in (0, 1), "nothing was found, and nothing was met"
    assert "Traceback" not in told + complaint
    return out + err


@pytest.fixture
def small(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of its own, of so many kilobytes."""
    if os.geteuid() != 0:
        pytest.skip("root: a file system can be mounted by root alone")
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={request.param}k", "none", str(tmp_path)]
    done = subprocess.run(mounted, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.parametrize("backend", ["local", "sim"])
@pytest.mark.parametrize("small", [8, 20, 60, 160, 400], indirect=True)
def test_a_disk_that_becomes_full(small: Path, backend: str) -> None:
    """By whoever writes at that moment: plan, ledger, journals, history, summary. The simulator writes when all is
    over, so there it is a shorter run, whose history does not fit either."""
    calls = {"local": 5000, "sim": 1500}[backend]
    fault = f"{{drop: reply, link: client -> server, operations: [{calls - 1000}]}}"
    (small / "long.yaml").write_text(long(fault=fault).replace("calls: 5000", f"calls: {calls}"))
    said = ended(small, COMMAND, "--backend", backend)
    assert "No space left on device" in said or "full" in said
    assert "results/long" in said
