"""Which engines can be probed, and as what."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from nodes import engines
from nodes.probes.common.probe import Kind

_WITHOUT = {
    "busy": "it never waits: its poller takes everything for ready",
    "fork": "a connection's process blocks in the calls of threads, and the rest of the node has the poller of poll",
}


def kind(engine: str) -> Kind | str:
    """What it has to be probed; why it has nothing. Raises KeyError for an unknown engine."""
    if engine in _WITHOUT:
        return _WITHOUT[engine]
    offered = engine_class(engine)
    if hasattr(offered, "poller"):
        return Kind.READINESS
    return Kind.COMPLETION if hasattr(offered, "port") else Kind.BLOCKING


def engine_class(name: str) -> Any:
    return import_module(f"nodes.engines.{engines.module(name)}").Engine
