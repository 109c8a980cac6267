"""Whether cells can run on a fleet as it is: asked before anything is started."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.backends.attach.fleet import Fleet
from orchestrator.document import BadScenario
from orchestrator.placement import Misplaced, place, relay_agent
from orchestrator.plan import Plan
from orchestrator.scenario import Cell
from orchestrator.specs import planes


def check_fleet(plans: Sequence[Plan], cells: Sequence[Cell], fleet: Fleet) -> None:
    """Raises BadScenario for the first cell that the fleet cannot run, with the reason and the remedy."""
    paths = {plan.scenario: plan.path for plan in plans}
    for cell in cells:
        try:
            place(cell, fleet.inventory.agents, fleet.offers)
        except Misplaced as error:
            raise BadScenario(str(paths[cell.scenario]), 0, error.path, f"{error} (in cell {cell.cell})") from None
        if (reason := _without_plane(cell, fleet)) is not None:
            raise BadScenario(str(paths[cell.scenario]), 0, "links", f"{reason} (in cell {cell.cell})")


def _without_plane(cell: Cell, fleet: Fleet) -> str | None:
    needed = planes(cell)
    if "packet" in needed:
        return "packet faults need the nodes' network namespaces, which agents do not give away; use --backend docker"
    if "toxiproxy" in needed and fleet.inventory.toxiproxy is None:
        return f"links via toxiproxy need `toxiproxy: {{api: ..., host: ...}}` in {fleet.inventory.path}"
    agent = relay_agent(fleet.inventory.agents)
    reason = fleet.offers[agent].planes.get("relay", "it knows none")
    return f"agent {agent} runs no relay: {reason}" if "relay" in needed and reason is not None else None
