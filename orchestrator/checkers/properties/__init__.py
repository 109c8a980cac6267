"""PURE: the checkers' registry: one file per property, found by its name.

A module `orchestrator/checkers/properties/NAME.py` is a Checker (orchestrator/checkers/checker.py): it has `name`,
`needs` and `check`. Adding a property is adding that file.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast, get_args

from orchestrator.checkers.checker import Checker
from orchestrator.scenario.cell import LEVELS, Implicit
from orchestrator.scenario.properties import PROPERTIES

_FIRST = (*LEVELS["exactly-once"], *get_args(Implicit))


def _found() -> dict[str, Checker]:
    names = sorted(PROPERTIES, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    return {name: cast(Checker, import_module(f"{__name__}.{name}")) for name in names}


CHECKERS = _found()
"""By name: the levels' properties, then those that are expected of every cell, then those that a scenario asks for."""
