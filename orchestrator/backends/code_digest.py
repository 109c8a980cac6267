"""Which code it is: a working copy's changes without its version doing so."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from types import ModuleType

import chaos
import nodes
import orchestrator

NODES = (nodes, chaos)
"""What runs in containers."""

EVERYTHING = (*NODES, orchestrator)


def digest(packages: tuple[ModuleType, ...] = NODES) -> str:
    """-> 16 hexadecimal digits, the same for the same modules."""
    made = sha256()
    for package in packages:
        folder = Path(package.__path__[0])
        for path in sorted(folder.rglob("*.py")):
            content = path.read_bytes()
            made.update(f"{package.__name__}/{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
            made.update(content)
    return made.hexdigest()[:16]
