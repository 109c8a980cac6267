"""How many descriptors the processes of a cell open at most, to be compared with the limit before they start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from chaos.planes.room import OF_A_CONNECTION, descriptors_for
from chaos.problem import Path
from chaos.supports import PLANE_OF
from nodes.wire.transports import TRANSPORTS
from orchestrator.scenario.cell import AnyLink, Cell

OF_A_NODE = 16
"""Standard streams, the journal, control, the ledger's files, and those of an engine's own."""

OF_A_WORKER = 3
"""Of one more loop: its poller, and the two ends of its bell."""


def needs(cell: Cell) -> Mapping[Path, int]:
    """Of each node without a limit of its own, and of the link whose sockets are most of a relay's."""
    sockets: Counter[str] = Counter()
    for link in cell.links:
        sockets[link.source] += _clients(cell, link)
        sockets[link.target] += _clients(cell, link) if TRANSPORTS[link.transport].connected else 1
    nodes: dict[Path, int] = {
        ("nodes", name): OF_A_NODE + OF_A_WORKER * (node.workers - 1) + sockets[name]
        for name, node in (cell.servers | cell.clients).items()
        if node.limits.files is None
    }
    return nodes | _relay(cell)


def _relay(cell: Cell) -> dict[Path, int]:
    """It gives each link the same share of its sockets."""
    relayed = {number: link for number, link in enumerate(cell.links) if PLANE_OF.get(link.via) == "relay"}
    if not relayed:
        return {}
    number, largest = max(relayed.items(), key=lambda each: _sockets(cell, each[1]))
    return {("links", number): descriptors_for(len(relayed), _sockets(cell, largest))}


def _sockets(cell: Cell, link: AnyLink) -> int:
    return _clients(cell, link) * (OF_A_CONNECTION if TRANSPORTS[link.transport].connected else 1)


def _clients(cell: Cell, link: AnyLink) -> int:
    """Its calls' connections, and those of crowds beside them."""
    beside = sum(fault.beside for fault in cell.faults if fault.on_link == link.name)
    return cell.clients[link.source].clients + beside
