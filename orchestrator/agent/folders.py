"""The agent's private folders, named after the place and the process that made them: a killed agent's are found, and no
living one's are taken for it, whoever shares the folder of temporary files."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from orchestrator.backends.leftovers import alive, orchestrator_id, place_mark

PREFIX = "faultbed-agent."


def new_folder() -> Path:
    """A folder that only this user can enter. Raises OSError."""
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{place_mark()}.{orchestrator_id()}."))


def sweep() -> tuple[list[Path], list[Path]]:
    """Remove the folders of agents of this place that are gone, if they are this user's -> (removed, not removed)."""
    removed: list[Path] = []
    left: list[Path] = []
    here = f"{PREFIX}{place_mark()}."
    for path in Path(tempfile.gettempdir()).glob(f"{here}*"):
        owner = path.name.removeprefix(here).rpartition(".")[0]
        if path.is_symlink() or not os.access(path, os.W_OK) or alive(owner):
            continue
        shutil.rmtree(path, ignore_errors=True)
        (left if path.exists() else removed).append(path)
    return removed, left
