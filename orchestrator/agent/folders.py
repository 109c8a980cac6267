"""The agent's private folders, named after the process that made them, so that a killed agent's are found."""

from __future__ import annotations

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


def sweep() -> list[Path]:
    """Remove the folders of agents that live no more -> what was removed."""
    removed = []
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).rpartition(".")[0]
        if not alive(owner):
            shutil.rmtree(path, ignore_errors=True)
            removed.append(path)
    return removed
