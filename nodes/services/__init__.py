"""PURE: the services' registry: one file per service, found by its name.

A module `nodes/services/NAME.py` has a `SERVICE` (nodes/rpc/service.py). Adding a service is adding that file.
"""

from __future__ import annotations

from importlib import import_module

from nodes.registry import modules
from nodes.rpc.service import Service, Workload


def _found() -> dict[str, Service]:
    found = [import_module(f"{__name__}.{name}").SERVICE for name in modules(__path__)]
    return {service.interface.name: service for service in sorted(found, key=lambda each: each.interface.program)}


SERVICES = _found()
"""By name, in the order of their program numbers."""
SERVICE_OF = {workload: name for name, service in SERVICES.items() for workload in service.workloads}
"""Each workload and the service that it calls."""
WORKLOADS: dict[str, Workload] = {
    name: workload for service in SERVICES.values() for name, workload in service.workloads.items()
}
WITH_EFFECT = tuple(name for name, each in SERVICES.items() if any(one.effect for one in each.interface.procedures))
"""The services whose executions can be counted."""
_EFFECTLESS = frozenset(
    each.name for service in SERVICES.values() for each in service.interface.procedures if not each.effect
)


def has_effect(procedure: str) -> bool:
    """Whether executing it changes something. Procedures of one name agree, whichever services they are of."""
    return procedure not in _EFFECTLESS
