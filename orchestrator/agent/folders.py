"""The agent's private folders, named after the process that made them, so that a killed agent's are found."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import psutil

from orchestrator.leftovers import alive

PREFIX = "faultbed-agent."


def new_folder() -> Path:
    """A folder that only this user can enter. Raises OSError."""
    me = psutil.Process()
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{me.pid}:{me.create_time()}."))


def sweep() -> tuple[list[Path], list[Path]]:
    """Remove the folders of agents that live no more, if they are this user's -> (removed, not removed)."""
    removed: list[Path] = []
    left: list[Path] = []
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).rpartition(".")[0]
        if not os.access(path, os.W_OK) or alive(owner):
            continue
        shutil.rmtree(path, ignore_errors=True)
        (left if path.exists() else removed).append(path)
    return removed, left
