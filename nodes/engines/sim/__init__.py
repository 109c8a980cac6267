"""PURE: the simulated engine: virtual clock, seeded scheduler, in-memory network, hosts that can crash.

It performs the same operations as the real engines, and shows programs the same errors.
"""

from __future__ import annotations

from nodes.engines.sim.engine import Engine
from nodes.engines.sim.errors import Crash, Deadlock, Killed
from nodes.engines.sim.host import Host
from nodes.engines.sim.medium import Chance, Conditions
from nodes.engines.sim.world import World

__all__ = ["Chance", "Conditions", "Crash", "Deadlock", "Engine", "Host", "Killed", "World", "availability"]


def availability() -> str | None:
    """Always None: it needs nothing of the host."""
    return None
