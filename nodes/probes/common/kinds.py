"""Which engines can be probed, and as what."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from nodes import engines
from nodes.probes.common.probe import Kind

_WITHOUT = {
    "busy": ("non-blocking", "it never waits: its poller takes everything for ready"),
    "fork": (
        Kind.BLOCKING.value,
        "a connection's process blocks in the calls of threads, and the rest of the node has the poller of poll",
    ),
}
"""Its model, and why there is nothing to probe."""


def kind(engine: str) -> Kind | str:
    """What it has to be probed; why it has nothing. Raises KeyError for an unknown engine."""
    if engine in _WITHOUT:
        return _WITHOUT[engine][1]
    offered = engine_class(engine)
    if hasattr(offered, "poller"):
        return Kind.READINESS
    return Kind.COMPLETION if hasattr(offered, "port") else Kind.BLOCKING


def model(engine: str) -> str:
    """How it learns that it can go on, in a word or two: of readiness with what its driver takes the trigger for."""
    if engine in _WITHOUT:
        return _WITHOUT[engine][0]
    found = kind(engine)
    if found is Kind.READINESS:
        return f"readiness, {engine_class(engine).poller.trigger.value}"
    return found.value if isinstance(found, Kind) else found


def engine_class(name: str) -> Any:
    return import_module(f"nodes.engines.{engines.module(name)}").Engine
