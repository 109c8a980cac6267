"""The programs that build the image, each failure a SessionError that says what was tried and what the program said."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from orchestrator.run.session import SessionError

LAST_LINES = 20
"""Of a failed program's words: the reason stands at the end."""


def need(program: str, remedy: str) -> None:
    if shutil.which(program) is None:
        raise SessionError(f"there is no program {program!r} on PATH: {remedy}")


def works(command: Sequence[str]) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def run(command: Sequence[str], what: str) -> str:
    """-> the program's standard output. `what` is done by it, for the error if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-LAST_LINES:])
        raise SessionError(f"{what}: {command[0]} failed with status {done.returncode}:\n{said}")
    return done.stdout
