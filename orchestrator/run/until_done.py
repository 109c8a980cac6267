"""PURE: what keeps calls open until heal, and how long a client may take to find out.

`load: until-done` is over when every call before heal is completed. A fault that only heal ends may keep some of them
open: then the load is over when nobody has completed anything for longer than any client waits between two attempts,
nothing else is to come by itself, and each client that is not done has such a fault on its way.
"""

from __future__ import annotations

from chaos.faults.messages import Corrupt, Cut, Drop, Hold, Truncate
from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Split
from chaos.faults.paths import Partition
from chaos.faults.processes import Kill, Pause, Restart
from chaos.faults.streams import Down, ResetPeer, Timeout
from chaos.faults.vocabulary import Fault
from orchestrator.run.attention import MILLISECOND
from orchestrator.scenario.cell import Cell, Client, Link
from orchestrator.scenario.triggers import TriggerEvent

WAITS = 2
"""So many waits without a completion: after one, an attempt that a fault no longer meets has still to be answered."""


def longest_wait(cell: Cell) -> int:
    """Nanoseconds in which a client that nothing keeps open completes a call, or tries again and is answered."""
    if cell.system is not None:
        return WAITS * (cell.driver.timeout + cell.driver.patience) * MILLISECOND
    return WAITS * max(_wait(cell, link) for link in cell.links)


def _wait(cell: Cell, link: Link) -> int:
    """Of one call at most, from one attempt to the next and through its procedure."""
    return _between_attempts(cell.clients[link.source], link) + cell.servers[link.target].yields * MILLISECOND


def _between_attempts(client: Client, link: Link) -> int:
    if link.semantics == "maybe":
        return client.retry.patience * MILLISECOND
    return int(client.retry.maximum * (1 + client.retry.jitter)) * MILLISECOND


def comes_back(restart: Restart | None) -> bool:
    """Whether one that was killed is started again before heal."""
    return restart is not None and restart.when != TriggerEvent.HEALED


def keeps_open(fault: Fault) -> bool:
    """Whether it can keep a call open for as long as it is on: every attempt meets it, none of them by chance."""
    match fault:
        case Partition() | Split() | Reject() | Down() | Blackhole():
            return True
        case Loss():
            return fault.probability == 1 or fault.every == 1
        case Netem():
            return fault.netem.loss == 1
        case Timeout() | ResetPeer():
            return fault.toxicity == 1
        case Drop() | Hold() | Corrupt() | Truncate() | Cut():
            return fault.attempt == "all" and fault.probability in (None, 1)
    return False


def on_its_way(cell: Cell, client: str, fault: Fault) -> bool:
    """Whether the client's calls meet the fault. A system's calls go through all of it."""
    if cell.system is not None or isinstance(fault, Split):
        return True
    links = [link for link in cell.links if link.source == client]
    if isinstance(fault, Kill | Pause):
        target = fault.kill if isinstance(fault, Kill) else fault.pause
        return any(link.target == target for link in links)
    return any(link.name == fault.link for link in links)
