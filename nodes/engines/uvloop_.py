"""uvloop: the event loop of libuv, behind asyncio's interface."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from nodes.engines.common.event_loop import EventLoopDriver, LoopPoller
from nodes.engines.common.offer import Offer
from nodes.engines.common.poller import Trigger


def availability() -> str | None:
    return None if find_spec("uvloop") else "uvloop is not installed here: pip install 'faultbed[uvloop]'"


def new_loop() -> asyncio.AbstractEventLoop:
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


class UvloopPoller(LoopPoller):
    """On libuv's own, which is level-triggered but for a reset: that it tells once, with the data that came before."""

    trigger = Trigger.EDGE
    new_loop = staticmethod(new_loop)


class Engine(EventLoopDriver):
    """One thread, one event loop."""

    offer = Offer(everywhere=False)
    poller = UvloopPoller
