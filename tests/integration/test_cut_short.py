"""A run that was killed is known by its folder: `check` says how much of it is there, and does not exit 0."""

from __future__ import annotations

import signal
from pathlib import Path

from running import Running


def test_a_killed_run_is_told_by_check(tmp_path: Path) -> None:
    with Running(tmp_path, "run", "rpc/02-reply-lost", "--backend", "sim", "--repeat", "1000") as command:
        assert command.process.stdout is not None
        assert command.process.stdout.readline().startswith("met ")
        command.process.send_signal(signal.SIGKILL)
        command.process.wait()
    kept = len(list((tmp_path / "results").rglob("history.msgpack")))
    with Running(tmp_path, "check", "results") as checking:
        code, out, err = checking.end()
    assert (code, err) == (2, "")
    assert f": {kept} of 20000 cell runs are there" in out
    assert f"{kept} cell runs: {kept} met" in out
