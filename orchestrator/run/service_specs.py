"""PURE: what the processes of a system's cell are told."""

from __future__ import annotations

from typing import Any

from orchestrator.run.specs import before_heal, ordinal, reports, rules_of
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.system import DRIVER, System, SystemLink

NOBODY = "192.0.2.1"
"""An address that nobody has (RFC 5737)."""


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


def driver_spec(cell: Cell, folder: str, target: str) -> dict[str, Any]:
    """`folder` is the scenario's, absolute; `target` "host:port" is what the driver calls."""
    driver = cell.driver
    return {
        "role": "client",
        "seed": cell.seed,
        "ordinal": ordinal(cell, DRIVER),
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
