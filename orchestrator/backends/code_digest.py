"""Which code it is: a working copy's changes without its version doing so."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from types import ModuleType

import chaos
import faultbed
import nodes
import orchestrator

NODES = (faultbed, nodes, chaos)
"""What runs in containers, its start by faultbed/part.py with it."""

EVERYTHING = (*NODES, orchestrator)


def digest(packages: tuple[ModuleType, ...] = NODES) -> str:
    """-> 16 hexadecimal digits, the same for the same modules."""
    made = sha256()
    for package in packages:
        folder = Path(package.__path__[0])
        # Where it is installed all parts lie in a folder of that package.
        for path in sorted(folder.glob("*.py") if package is faultbed else folder.rglob("*.py")):
            content = path.read_bytes()
            made.update(f"{package.__name__}/{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
            made.update(content)
    return made.hexdigest()[:16]
