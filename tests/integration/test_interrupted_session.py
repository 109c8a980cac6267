"""The tests' own session: an interrupt reaches it wherever it was started, and leaves nothing of what it started."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from nested import lay_out
from running import until

IGNORED = (signal.SIGINT, signal.SIGHUP)
SLEEPERS = """
import pathlib, subprocess
import pytest

@pytest.mark.parametrize("name", ["one", "two"])
def test_it(name):
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    pathlib.Path(name).write_text(f"{process.pid} ")
    process.wait()
"""
INTERRUPTED = """
import os, signal, subprocess, sys
import pytest

def test_it():
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
    os.kill(os.getpid(), signal.SIGHUP)  # ignored here as it was
    raised = "import signal; signal.raise_signal(signal.SIGHUP)"
    assert subprocess.run([sys.executable, "-I", "-S", "-c", raised]).returncode == -signal.SIGHUP
"""


def session(folder: Path, source: str, *options: str, ignored: bool = False) -> subprocess.Popen[str]:
    """`ignored`: as a shell starts what it puts into the background, and nohup what it runs."""
    command = lay_out(folder, source, *options)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in IGNORED} if ignored else {}
    try:
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("interrupt", [os.killpg, os.kill], ids=["everybody", "the first alone"])
def test_ctrl_c_leaves_nothing_running(tmp_path: Path, interrupt: Callable[[int, int], None]) -> None:
    with session(tmp_path, SLEEPERS, "-n", "2") as running:
        files = [tmp_path / name for name in ("one", "two")]
        until(lambda: all(file.exists() and file.read_text().endswith(" ") for file in files), "both tests to wait")
        family = [*psutil.Process(running.pid).children(recursive=True)]
        interrupt(running.pid, signal.SIGINT)
        said, _ = running.communicate(timeout=100)
    assert running.returncode == pytest.ExitCode.INTERRUPTED, said
    assert len(family) >= 4, "workers, and what their tests started"
    assert [process for process in family if not gone(process)] == []


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_signal_ends_what_a_test_starts_though_it_was_ignored_where_all_began(tmp_path: Path, workers: str) -> None:
    with session(tmp_path, INTERRUPTED, "-n", workers, ignored=True) as running:
        said, _ = running.communicate(timeout=100)
    assert said.splitlines()[-1].startswith("1 passed in "), said
