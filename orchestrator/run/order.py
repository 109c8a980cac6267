"""PURE: in which order a cell's processes start and are configured, as data.

Nodes of ours start side by side; a server is configured before the planes, which are told where it listens, and a
client after them. A system's planes and driver are there before its services, which come in waves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from chaos.supports import PlaneName
from orchestrator.run.waves import Services, Wave, waves
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.system import DRIVER, PROXY, System


class Step(NamedTuple):
    """What is done with some processes, once the step before is done.

    "start": side by side, until all of them run; "configure": one after another; "unserved": whoever stands before
    them is told that nobody is there yet; "ready": whoever waits for that is told.
    """

    do: Literal["start", "configure", "unserved", "ready"]
    names: tuple[str, ...]
    wave: Wave | None = None


def steps(cell: Cell, planes: Sequence[PlaneName], services: Services) -> list[Step]:
    """`services` are all of a system's project, {} without one. Raises Circle."""
    return _ours(cell, planes) if cell.system is None else _system(cell.system, planes, services)


def _ours(cell: Cell, planes: Sequence[PlaneName]) -> list[Step]:
    servers, clients = tuple(cell.servers), tuple(cell.clients)
    return [
        Step("start", (*planes, *servers, *clients)),
        Step("configure", servers),
        Step("configure", tuple(planes)),
        Step("ready", servers),
        Step("configure", clients),
    ]


def _system(system: System, planes: Sequence[PlaneName], services: Services) -> list[Step]:
    proxy = [Step("start", (PROXY,))] if "toxiproxy" in planes else []  # its server is a service of the project
    called = dict.fromkeys(link.server for link in system.links)
    return [
        *proxy,
        Step("start", (*planes, DRIVER)),
        Step("configure", tuple(planes)),
        Step("unserved", tuple(called)),
        *(Step("start", tuple(wave.services), wave) for wave in waves(system, services)),
        Step("configure", (DRIVER,)),
    ]
