"""asyncio's event loop (Python's own), without its transports: those read before they are asked (asyncio.Protocol)."""

from __future__ import annotations

import asyncio

from nodes.engines.common.event_loop import EventLoopDriver, LoopPoller


def availability() -> str | None:
    return None


class AsyncioPoller(LoopPoller):
    """On the host's best selector."""

    new_loop = asyncio.SelectorEventLoop


class Engine(EventLoopDriver):
    """One thread, one event loop."""

    poller = AsyncioPoller
