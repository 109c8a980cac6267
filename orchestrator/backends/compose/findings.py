"""Whether there is a Compose that can be asked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from orchestrator.backends.backend import Finding

SUBJECT = "docker compose"
PATIENCE = 20.0
"""Seconds for a command that takes milliseconds."""


def findings() -> Iterator[Finding]:
    yield _compose()


def _compose() -> Finding:
    if shutil.which("docker") is None:
        return Finding(SUBJECT, False, "there is no program 'docker' on PATH: install Docker's command line")
    command = ["docker", "compose", "version", "--short"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return Finding(SUBJECT, False, f"{' '.join(command)} did not end within {PATIENCE:.0f} s")
    if asked.returncode != 0:
        return Finding(SUBJECT, False, "docker has no command 'compose': install Docker's Compose plug-in")
    return Finding(SUBJECT, True, asked.stdout.strip())
