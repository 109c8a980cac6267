"""Programs that the image's build waits for end with it, whenever a signal strikes."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import psutil
import pytest

from orchestrator.backends.interrupts import Interrupted, raising
from orchestrator.image.external import run


def test_a_signal_while_a_program_is_being_started_leaves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    fork_exec = subprocess._fork_exec  # type: ignore[attr-defined]

    def struck(*arguments: Any) -> int:
        started.append(fork_exec(*arguments))
        os.kill(os.getpid(), signal.SIGTERM)
        return int(started[0])

    monkeypatch.setattr(subprocess, "_fork_exec", struck)
    with raising(), pytest.raises(Interrupted):
        run(["sleep", "1000"], "waiting")
    assert len(started) == 1
    assert not psutil.pid_exists(started[0])
