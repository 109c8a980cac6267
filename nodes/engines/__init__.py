"""The engines' registry: one file per I/O model, found by its name, imported only when asked for.

An engine module `nodes/engines/NAME.py` has `availability() -> str | None` (None, or why it cannot run here)
and a class `Engine`. Adding an engine is adding that file; one that has the name of a module of Python ends in an
underscore, which is not of the engine's name. What engines share is in the package `common`; `sim`,
which touches nothing real, is a package too, and so are `variants`, which are wrong on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import Any, ClassVar, Protocol

from nodes.engines import variants
from nodes.engines.common.offer import Offer
from nodes.ops import Program, Transaction
from nodes.registry import modules

_MODULES = {module.rstrip("_"): module for module in modules(__path__)}
NAMES = tuple(_MODULES)
SIMULATED = ("sim",)
LAUNCHED = (*NAMES, *variants.LAUNCHED)
"""What a node can be told to run on: an engine, or `ENGINE:VARIANT`, a broken one."""


class Engine(Protocol):
    """Performs the operations of one node's programs."""

    offer: ClassVar[Offer]
    children: Collection[int]
    """The processes that perform a part of the node's programs, at any time."""

    def __init__(self, commit: Callable[[Transaction], int], random: Callable[[], float]) -> None: ...

    def run(self, main: Program) -> Any:
        """Run `main` and what it spawns until `main` ends; close every socket; return its result or raise."""


class Unavailable(Exception):
    """This engine cannot run on this host; the message says why."""


def availability(name: str) -> str | None:
    """None if the engine can run here, otherwise the reason. Raises KeyError for an unknown name."""
    if name not in LAUNCHED + SIMULATED:
        raise KeyError(name)
    reason: str | None = _module(name).availability()
    return reason


def module(name: str) -> str:
    """The file that an engine's name stands for. Raises KeyError for an unknown name."""
    return _MODULES[name]


def offer(name: str) -> Offer:
    """What the engine can do, wherever it can run."""
    found: Offer = _module(name).Engine.offer
    return found


def about(name: str) -> str:
    """How it performs operations, in the first line of its file; "" where Python keeps no docstrings (-OO)."""
    return next(iter((_module(name).__doc__ or "").splitlines()), "")


def create(name: str, commit: Callable[[Transaction], int], random: Callable[[], float]) -> Engine:
    """A new engine. Raises Unavailable with the reason; never falls back to another."""
    reason = availability(name)
    if reason is not None:
        raise Unavailable(f"engine {name}: {reason}")
    kind = _module(name).Engine
    _, _, variant = name.partition(":")
    engine: Engine = (variants.broken(kind, variant) if variant else kind)(commit, random)
    return engine


def _module(name: str) -> Any:
    name, _, _ = name.partition(":")
    return import_module(f"nodes.engines.{_MODULES.get(name, name)}")
