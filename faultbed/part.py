"""`python -I -m faultbed.part NAME ...`: one of our parts as a process of its own, among nobody else's modules.

The part's folder comes first in sys.path, and isolation (-I) leaves out what the user brings: PYTHONPATH, the working
folder, their own site-packages.
"""

from __future__ import annotations

import os
import sys
from typing import Literal, NoReturn

from faultbed import PARTS, loaded

Name = Literal["nodes", "chaos", "supervisor", "lanes", "probes"]

MODULES = {
    "nodes": "nodes.__main__",
    "chaos": "chaos.__main__",
    "supervisor": "orchestrator.supervisor",
    "lanes": "nodes.lanes.__main__",
    "probes": "nodes.probes.__main__",
}


def command(name: Name, python: str = sys.executable) -> list[str]:
    """How a part is started, to be followed by its own arguments; in a container of the image by its `python3`."""
    return [python, "-I", "-m", "faultbed.part", name]


def main() -> NoReturn:
    """Never returns: the part's own end is the process's."""
    sys.path.insert(0, PARTS)
    end(loaded(MODULES[sys.argv.pop(1)]).main())


def end(code: int) -> NoReturn:
    """A part's process. It has closed what it had, so the interpreter is not taken apart: a twentieth of what a start
    costs. What is still in a buffer would be lost with it."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
