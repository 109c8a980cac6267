"""What is found by its file: the modules of a package that holds one thing each."""

from __future__ import annotations

import os
from collections.abc import Iterable


def modules(path: Iterable[str]) -> tuple[str, ...]:
    """-> their names, sorted, by the package's `__path__`; neither packages in it nor what begins with an underscore.

    Without pkgutil, whose imports are a tenth of a node's start.
    """
    files = [file for folder in path for file in os.listdir(folder)]
    return tuple(sorted(file[:-3] for file in files if file.endswith(".py") and not file.startswith("_")))
