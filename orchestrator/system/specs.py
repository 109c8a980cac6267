"""PURE: what the processes of a system's cell are told, and in which order its services start."""

from __future__ import annotations

from typing import Any

from orchestrator.scenario import Cell
from orchestrator.specs import before_heal, reports, rules_of
from orchestrator.system.scenario import DRIVER, System, SystemLink

NOBODY = "192.0.2.1"
"""An address that nobody has (RFC 5737)."""
ORDINAL = 1
"""The driver's number among the client nodes of its cell: it is the only one."""


def layers(system: System, services: list[str]) -> list[list[str]]:
    """The project's services, in the order in which they are started: who is called before who calls."""
    calls: dict[str, set[str]] = {link.service: set() for link in system.links}
    for link in system.links:
        calls.get(link.source, set()).add(link.service)
    found: list[list[str]] = []
    while calls:
        free = [name for name, called in calls.items() if not called & set(calls)]
        found.append(free)
        for name in free:
            del calls[name]
    started = {name for layer in found for name in layer}
    rest = [name for name in services if name not in started]
    return [*found, rest] if rest else found


def plane_spec(cell: Cell, system: System) -> dict[str, Any]:
    """Every link at its service's port; that nobody is there yet, and later who, upstream commands say."""
    return {"seed": cell.seed, "rules": [], "links": [_link(cell, link) for link in system.links]}


def _link(cell: Cell, link: SystemLink) -> dict[str, Any]:
    return {
        "name": link.name,
        "transport": "tcp",
        "codec": link.framer,
        "source": link.source,
        "target": link.service,
        "port": link.port,
        "upstream": [NOBODY, link.port],
        "epoch": 0,
        "rules": rules_of(cell, link.name),
    }


def driver_spec(cell: Cell, system: System, folder: str, target: str) -> dict[str, Any]:
    """`folder` is the scenario's, absolute; `target` "host:port" is what the driver calls."""
    driver = system.driver
    return {
        "role": "client",
        "seed": cell.seed,
        "ordinal": ORDINAL,
        "workload": "call",
        "calls": driver.calls,
        "clients": driver.clients,
        "outstanding": 1,
        "after_heal": driver.calls - driver.last_before_heal,
        "gates": sorted(before_heal(driver.gates)),
        "exec": {
            "argv": driver.argv,
            "folder": folder,
            "target": target,
            "timeout": driver.timeout,
            "patience": driver.patience,
        },
        "failpoints": [],
        "report": sorted(reports(cell, DRIVER)),
    }
