"""PURE: whether a scenario's links, faults and oracle can work with what its compose file says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chaos.problem import Path, Problem, names
from orchestrator.backends.compose.override import private
from orchestrator.run.waves import Circle, Services, waves
from orchestrator.scenario.coherence.nodes import RESERVED
from orchestrator.scenario.system import DRIVER, PROXY, HttpOracle, RedisOracle, System

COMPOSE: Path = ("system", "compose")


def problems(system: System, project: Mapping[str, Any]) -> Iterator[Problem]:
    """`project` is what `docker compose config` says."""
    services: Services = project.get("services") or {}
    unknown = list(_unknown(system, services))
    yield from unknown
    for name in sorted({*RESERVED, DRIVER, PROXY} & set(services)):
        yield Problem(COMPOSE, f"service {name} has the name of one of the testbed's own processes; rename it")
    for key in sorted({private(link.server) for link in system.links} & set(project.get("networks") or {})):
        yield Problem(COMPOSE, f"network {key} has the name of one that the testbed adds; rename it")
    for name in system.services:
        if name in services:
            yield from _one_place(name, services[name])
            yield from _behind(name, system, services[name])
    if not unknown:
        try:
            waves(system, services)
        except Circle as circle:
            message = f"{names(circle.services)} wait for one another, by links and depends_on: none could be the first"
            yield Problem(("links",), message)


def _unknown(system: System, services: Services) -> Iterator[Problem]:
    named: list[tuple[Path, str]] = []
    for index, link in enumerate(system.links):
        named += [(("links", index, "from"), link.source), (("links", index, "to"), link.server)]
    if isinstance(system.oracle, RedisOracle):
        named.append((("oracle", "at"), system.oracle.at.rpartition(":")[0]))
    if isinstance(system.oracle, HttpOracle):
        named.append((("oracle", "http"), system.oracle.http.partition("/")[0].rpartition(":")[0]))
    for path, name in named:
        if name not in services and name != DRIVER:
            message = f"{system.project.compose} has no service {name!r}; it has {names(services)}"
            yield Problem(path, f"{message} (those of a profile if COMPOSE_PROFILES in system.environment names it)")


def _one_place(name: str, service: Mapping[str, Any]) -> Iterator[Problem]:
    replicas = service.get("scale", (service.get("deploy") or {}).get("replicas", 1))
    if replicas != 1:
        message = f"service {name}, which a link names, has {replicas} replicas: a fault needs one container; give it 1"
        yield Problem(COMPOSE, message)


def _behind(name: str, system: System, service: Mapping[str, Any]) -> Iterator[Problem]:
    """A service behind a link moves to another network, and one that calls has to meet the proxy on its own."""
    mode = str(service.get("network_mode", ""))
    target = any(link.server == name for link in system.links)
    if mode and (target or not mode.startswith("service:")):
        message = f"service {name}, which a link names, has network_mode {mode}: nothing can be put before it there"
        yield Problem(COMPOSE, f"{message}; put it on a network of the project")
