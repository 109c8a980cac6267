"""PURE: what a fault is shown of its cell, to say what is impossible there (chaos/faults/surroundings.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chaos.faults.fault import Fault
from chaos.faults.surroundings import Caller, Surroundings
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.system import DRIVER


class Path(NamedTuple):
    """A link of a system: whoever it is from, what goes over it is done for the driver's calls."""

    name: str
    source: str
    target: str
    via: str
    transport: str


class OfSystem(NamedTuple):
    servers: Mapping[str, object]
    clients: Mapping[str, Caller]
    links: Sequence[Path]
    faults: Sequence[Fault]


def around(cell: Cell) -> Surroundings:
    if cell.system is None:
        return cell
    links = [Path(link.name, DRIVER, link.server, link.via, link.transport) for link in cell.paths]
    return OfSystem(cell.called, cell.callers, links, cell.faults)
