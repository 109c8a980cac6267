"""Whether cells can run on a fleet as it is: asked before anything is started."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.problem import Problem
from orchestrator.backends.attach.fleet import Fleet
from orchestrator.backends.attach.placement import Misplaced, place, relay_agent
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Cell


def problems(fleet: Fleet, cell: Cell) -> Iterator[Problem]:
    """Why the fleet cannot run the cell, each with the remedy."""
    try:
        place(cell, fleet.inventory.agents, fleet.offers)
    except Misplaced as error:
        yield Problem(tuple(error.path.split(".")), str(error))
    if (reason := _without_plane(cell, fleet)) is not None:
        yield Problem(("links",), reason)


def _without_plane(cell: Cell, fleet: Fleet) -> str | None:
    needed = planes(cell)
    if "packet" in needed:
        return "packet faults need the nodes' network namespaces, which agents do not give away; use --backend docker"
    if "toxiproxy" in needed and fleet.inventory.toxiproxy is None:
        return f"links via toxiproxy need `toxiproxy: {{api: ..., host: ...}}` in {fleet.inventory.path}"
    agent = relay_agent(fleet.inventory.agents)
    reason = fleet.offers[agent].planes.get("relay", "it knows none")
    return f"agent {agent} runs no relay: {reason}" if "relay" in needed and reason is not None else None
