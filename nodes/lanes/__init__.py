"""The lanes' registry: one file per way to wait for one message, found by its name.

A lane module `nodes/lanes/NAME.py` has `LANE`, what it is called and does (common/lane.py), `availability() -> str |
None` (None, or why it cannot run here), and `run(bench)`, which receives the one message of a bench's peer and marks
what happened on the way. Adding a lane is adding that file; one that has the name of a module of Python ends in an
underscore, which is not of the lane's name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from nodes.registry import modules

if TYPE_CHECKING:
    from nodes.lanes.common.bench import Bench
    from nodes.lanes.common.lane import Lane

_MODULES = {module.rstrip("_"): module for module in modules(__path__)}
NAMES = tuple(_MODULES)


class LaneModule(Protocol):
    LANE: Lane

    def availability(self) -> str | None: ...

    def run(self, bench: Bench) -> None: ...


def lane(name: str) -> LaneModule:
    """Raises KeyError for an unknown name."""
    module: LaneModule = import_module(f"nodes.lanes.{_MODULES[name]}")
    return module
