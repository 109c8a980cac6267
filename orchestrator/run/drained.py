"""PURE: whether nothing is on its way any more, by what planes and servers say of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chaos.supports import PLANE_OF
from nodes.wire.transports import TRANSPORTS
from orchestrator.run.specs import plane_of
from orchestrator.scenario.cell import Cell

Status = Mapping[str, Any]


def drained(cell: Cell, epochs: Mapping[str, int], planes: Iterable[Status], servers: Mapping[str, Status]) -> bool:
    """Planes hold nothing, servers execute nothing, and what a hop passed was received, or its receiver is gone.

    Of a system only planes tell, and connections stay: services keep theirs to one another open.
    """
    passed: dict[str, Mapping[str, int]] = {}
    for plane in planes:
        if plane["held"] or plane["pending"] or (plane["connections"] and cell.system is None):
            return False
        passed |= plane["passed"]
    countable = {link.name for link in cell.links if TRANSPORTS[link.transport].bounded}
    for name, status in servers.items():
        for link, counts in status["links"].items():
            if counts["executing"] or counts["connections"] > _left_open(cell, link):
                return False
            due = passed.get(link, {}).get(str(epochs[name]), 0)
            if link in countable and counts["received"] + counts["broken"] < due:
                return False
    return True


def _left_open(cell: Cell, link: str) -> int:
    """Connections whose peers may have left without the server's being told: their last packet was lost, and is not
    sent again; or Toxiproxy has them, which passes no end on while it waits for room in the other direction."""
    of_link = next(one for one in cell.links if one.name == link)
    lost = any(plane_of(cell, fault) == "packet" for fault in cell.faults) or PLANE_OF[of_link.via] == "toxiproxy"
    return sum(fault.beside for fault in cell.faults if fault.on_link == link) if lost else 0
