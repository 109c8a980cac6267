"""The backends' registry: how a session is made, one folder for each way, found by its name, imported when asked for.

A folder `orchestrator/backends/NAME/` whose `backend.py` has a `BACKEND` (orchestrator.backends.backend.Backend) is
one. Adding a backend is adding that folder. What backends share lies beside the folders.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.backends.backend import Backend, Ready

ENTRY = "backend.py"


def named(name: str) -> Backend:
    """The one of this name; that it is there is known."""
    made: Backend = import_module(f"{__name__}.{name}.{ENTRY.removesuffix('.py')}").BACKEND
    return made


@cache
def backends() -> tuple[Backend, ...]:
    """All, in the order in which they are told."""
    folders = [os.path.join(path, name) for path in __path__ for name in os.listdir(path)]
    found = [os.path.basename(folder) for folder in folders if os.path.isfile(os.path.join(folder, ENTRY))]
    return tuple(sorted(map(named, found), key=lambda one: one.place))


def choices() -> tuple[Backend, ...]:
    """Those that a user can choose."""
    return tuple(one for one in backends() if one.about is not None)


def simulator() -> Backend:
    """The one that performs what nodes do by itself: no run of it waits."""
    return next(one for one in choices() if one.performs)


def of_processes() -> Backend:
    """The first that runs processes."""
    return next(one for one in choices() if not one.performs)


def ready(name: str, options: Mapping[str, Any] | None = None) -> AbstractContextManager[Ready]:
    """The backend of this name with its options. Raises SessionError where it cannot be had."""
    return named(name).connect({} if options is None else options)
