"""PURE: where time is no excuse: in the simulator nothing takes any, but for what the plan says.

Whoever is late there, with nothing done to it, is so by its mechanism's making.
"""

from __future__ import annotations

from functools import partial

from nodes.units import MILLISECOND
from nodes.wire.transports import TRANSPORTS
from orchestrator.checkers.retries import planned
from orchestrator.history.merged import History
from orchestrator.scenario.cell import AnyLink, Cell

HOLD_UP = frozenset({"slice", "pause"})
"""Words that make wait more than what they meet: what comes behind it, or to the same process."""
QUICK = 10
"""A server whose yields take so many times less than its clients wait makes nothing late."""
WAY = 1
"""Milliseconds, or less, for a connection, a hello and a call there and back (nodes/engines/sim/medium.py)."""


def punctual(cell: Cell, history: History) -> bool:
    """Whether nothing is late that no fault met. What took flipped bits for a length waits for as many bytes."""
    held_up = any(fault.alters or fault.verb in HOLD_UP for fault in cell.faults)
    return history.evidence == "sim" and not held_up and all(map(partial(_quick, cell), cell.links))


def _quick(cell: Cell, link: AnyLink) -> bool:
    """Whether no call waits for its server, or for another whose time is over and ends the connection of both."""
    client, yields = cell.clients[link.source], cell.servers[link.target].yields
    shares = client.outstanding > 1 and TRANSPORTS[link.transport].connected and client.retry.connection == "new"
    return not shares and QUICK * max(yields, WAY) * MILLISECOND <= planned(client, link).wait(1, 0)
