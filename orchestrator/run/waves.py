"""PURE: in which order the services of a project start, and what each has come to before the next ones do.

Two things decide: the file's `depends_on` with its conditions, and the links: who is called is there before who calls,
so that no call of the start goes to nobody. Compose itself would start again a job that has ended, and a service that
a fault has killed, whenever somebody who depends on it is started; so services are started one wave after another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from orchestrator.run.readiness import Need, State
from orchestrator.scenario.system import System

STRENGTH: dict[State, int] = {"running": 0, "healthy": 1, "completed": 2}
CONDITIONS: dict[str, State] = {
    "service_started": "running",
    "service_healthy": "healthy",
    "service_completed_successfully": "completed",
}
Services = Mapping[str, Mapping[str, Any]]


class Wave(NamedTuple):
    """Services that start together, and how services stand before the next wave does; after the last, all of them."""

    services: list[str]
    until: dict[str, Need]


class Circle(Exception):
    """These wait for one another."""

    def __init__(self, services: list[str]) -> None:
        super().__init__(services)
        self.services = services


def waves(system: System, services: Services) -> list[Wave]:
    """Of all services of a project. Raises Circle: none of some could be the first."""
    before = {name: _before(name, system, services) for name in services}
    found: list[Wave] = []
    while before:
        free = sorted(name for name, others in before.items() if not others & set(before))
        if not free:
            raise Circle(sorted(before))
        found.append(Wave(free, {name: _need(name, system, services, False) for name in free}))
        for name in free:
            del before[name]
    if found:
        found[-1] = found[-1]._replace(until=in_the_end(system, services))
    return found


def in_the_end(system: System, services: Services) -> dict[str, Need]:
    """How every service stands when all are up."""
    return {name: _need(name, system, services, True) for name in services}


def _before(name: str, system: System, services: Services) -> set[str]:
    """Who has to be there before it."""
    called = {link.server for link in system.links if link.source == name}
    return (called | set(services[name].get("depends_on") or {})) & set(services)


def _need(name: str, system: System, services: Services, finally_: bool) -> Need:
    states = [_condition(services[other], name) for other in services]
    if finally_ or name in {link.server for link in system.links}:
        states.append("healthy" if system.project.ready == "healthy" else "running")
    return Need(max(states, key=STRENGTH.__getitem__), stays=name in system.services)


def _condition(dependent: Mapping[str, Any], name: str) -> State:
    wanted = (dependent.get("depends_on") or {}).get(name) or {}
    return CONDITIONS.get(wanted.get("condition", ""), "running")
