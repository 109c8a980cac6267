"""PURE: engines that are wrong on purpose, the negative controls of servers: which there are, and of which engines.

Each is a file here of its name, with a class `Variant` that is laid over an engine's own: one small change of the
readiness driver. What is wrong in a server's program is no engine's (nodes/accepting.py has one).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

OF: dict[str, tuple[str, ...]] = {
    "undrained": ("epoll_edge", "sigio"),
    "keeps-registered": ("epoll", "epoll_exclusive", "poll", "ppoll"),
    "greedy": (
        *("asyncio", "busy", "epoll", "epoll_edge", "epoll_exclusive", "epoll_oneshot"),
        *("poll", "ppoll", "pselect", "select", "sigio", "uvloop"),
    ),
}
"""The engines that each can be laid over, so that a server goes on, wrongly."""
NAMES = tuple(OF)
LAUNCHED = tuple(f"{engine}:{variant}" for variant, able in OF.items() for engine in able)


def broken(engine: type[Any], variant: str) -> type[Any]:
    """That engine, wrong in this way."""
    found = import_module(f"nodes.engines.variants.{variant.replace('-', '_')}").Variant
    return type("Engine", (found, engine), {})
