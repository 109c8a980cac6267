"""Where and by what a command runs: gathered from this machine for its summary.json."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from orchestrator.backends.code_digest import EVERYTHING, digest
from orchestrator.report.origin import Origin

_CPUINFO = Path("/proc/cpuinfo")
_MODEL = ("model name", "Model", "Hardware", "cpu")
"""Where Linux has a processor's name, on x86, ARM and POWER."""


def origin(seed: int | None, docker: dict[str, str] | None = None) -> Origin:
    """Of a command that begins now and has taken no time yet. `docker`: what the engine says, if one is used."""
    return Origin(
        version=version("faultbed"),
        code=digest(EVERYTHING),
        command=(Path(sys.argv[0]).name, *sys.argv[1:]),
        seed=seed,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        kernel=" ".join((platform.system(), platform.release(), platform.version(), platform.machine())),
        cpu=cpu(_CPUINFO),
        cpus=os.cpu_count() or 1,
        docker=docker,
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=0.0,
    )


def cpu(cpuinfo: Path) -> str:
    """The processor's name, as well as this system tells it."""
    try:
        lines = [line.partition(":") for line in cpuinfo.read_text(errors="replace").splitlines()]
    except OSError:
        lines = []
    told = {key.strip(): value.strip() for key, _, value in reversed(lines)}
    return next((told[key] for key in _MODEL if told.get(key)), platform.processor() or platform.machine())
