"""PURE: what keeps calls open until heal, and how long a client may take to find out.

`load: until-done` is over when every call before heal is completed. A fault that only heal ends may keep some of them
open: then the load is over when nobody has completed anything for longer than any client waits between two attempts,
nothing else is to come by itself, and each client that is not done has such a fault on its way.
"""

from __future__ import annotations

from chaos.faults.fault import Fault
from chaos.faults.processes import Restart
from nodes.units import MILLISECOND
from orchestrator.scenario.cell import AnyLink, Cell, Client
from orchestrator.scenario.triggers import TriggerEvent

WAITS = 2
"""So many waits without a completion: after one, an attempt that a fault no longer meets has still to be answered."""


def longest_wait(cell: Cell) -> int:
    """Nanoseconds in which a client that nothing keeps open completes a call, or tries again and is answered."""
    if cell.system is not None:
        return WAITS * (cell.driver.timeout + cell.driver.patience) * MILLISECOND
    return WAITS * max(_wait(cell, link) for link in cell.links)


def _wait(cell: Cell, link: AnyLink) -> int:
    """Of one call at most, from one attempt to the next and through its procedure."""
    return _between_attempts(cell.clients[link.source], link) + cell.servers[link.target].yields * MILLISECOND


def _between_attempts(client: Client, link: AnyLink) -> int:
    if link.semantics == "maybe":
        return client.retry.patience * MILLISECOND
    return int(client.retry.maximum * (1 + client.retry.jitter)) * MILLISECOND


def comes_back(restart: Restart | None) -> bool:
    """Whether one that was killed is started again before heal."""
    return restart is not None and restart.when != TriggerEvent.HEALED


def on_its_way(cell: Cell, client: str, fault: Fault) -> bool:
    """Whether the client's calls meet the fault. A system's calls go through all of it."""
    if cell.system is not None:
        return True
    links = [link for link in cell.links if link.source == client]
    if fault.on_process is not None:
        return any(link.target == fault.on_process.target for link in links)
    return fault.on_link is None or any(link.name == fault.on_link for link in links)
