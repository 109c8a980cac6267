"""PURE: cells as earlier versions recorded them, in the form that they have now."""

from __future__ import annotations

from typing import Any

from orchestrator.scenario.system import DRIVER


def as_nodes(given: Any) -> Any:
    """Nodes were two mappings, `servers` and `clients`, and a system's driver was a part of the system."""
    if not isinstance(given, dict) or "nodes" in given:
        return given
    now = dict(given)
    now["nodes"] = {**now.pop("servers", {}), **now.pop("clients", {})}
    if isinstance(system := now.get("system"), dict) and "driver" in system:
        now["system"] = {key: value for key, value in system.items() if key != "driver"}
        named = [name for link in system["links"] for name in (link["from"], link["to"].rpartition(":")[0])]
        now["nodes"] = {DRIVER: system["driver"]} | {name: {} for name in named if name != DRIVER}
    return now
