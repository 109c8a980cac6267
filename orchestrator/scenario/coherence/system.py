"""PURE: whether the parts of a system's cell fit one another.

Faults, triggers, gates and expectations are checked as those of our own nodes are. What is different is checked here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chaos.faults.surroundings import ForeignLink
from chaos.framers import framers, identifies
from chaos.problem import Problem, names
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.coherence import expectations, faults
from orchestrator.scenario.coherence.nodes import RESERVED, gates
from orchestrator.scenario.system import DRIVER, Driver, System, SystemLink


def problems(cell: Cell, unread: Collection[str] = ()) -> Iterator[Problem]:
    """See coherence.problems."""
    system = cell.system
    if system is None or DRIVER not in cell.nodes or not {"links", "faults", "expect"}.isdisjoint(unread):
        return
    astray = False
    for problem in _links(system):
        yield problem
        astray = True
    if astray:
        return
    yield from _driver(cell.driver)
    links = {link.name: _foreign(link) for link in system.links}
    for index, fault in enumerate(cell.faults):
        for path, message in fault.problems_in_system(links.get(fault.on_link or "")):
            yield Problem(("faults", index, *path), message)
    yield from faults.problems(cell)
    yield from gates(cell)
    yield from _expect(cell)
    yield from expectations.problems(cell)


def _links(system: System) -> Iterator[Problem]:
    ports: dict[int, str] = {}
    targets: set[str] = set()
    for index, link in enumerate(system.links):
        path = ("links", index)
        for key, name in (("from", link.source), ("to", link.server)):
            if name in RESERVED or (key == "to" and name == DRIVER):
                yield Problem((*path, key), f"{name!r} is the name of one of the testbed's own processes")
        if link.port > 65535:
            yield Problem((*path, "to"), f"there is no port {link.port}")
        if link.target in targets:
            yield Problem((*path, "to"), f"a second link to {link.target}: all that call it go through the first one")
        targets.add(link.target)
        if ports.setdefault(link.port, link.server) != link.server:
            message = f"port {link.port} of both {ports[link.port]} and {link.server}: one proxy cannot stand for both"
            yield Problem((*path, "to"), f"{message}; expected links to different ports")
    vias = {link.via for link in system.links}
    if len(vias) > 1:
        yield Problem(("links",), f"links via {names(vias)}; expected one proxy for all links of a system")
    if sum(link.source == DRIVER for link in system.links) != 1:
        yield Problem(("links",), f"expected exactly one link from {DRIVER}, to the service that it calls")
    yield from _circle(system)


def _circle(system: System) -> Iterator[Problem]:
    calls = {
        link.server: {other.server for other in system.links if other.source == link.server} for link in system.links
    }
    while calls:
        free = [name for name, called in calls.items() if not called & set(calls)]
        if not free:
            yield Problem(("links",), f"{names(calls)} call one another in a circle: none could be started first")
            return
        for name in free:
            del calls[name]


def _driver(driver: Driver) -> Iterator[Problem]:
    if not driver.argv or not driver.argv[0]:
        yield Problem(("driver", "exec"), "expected a program")
    if driver.after_heal > driver.calls:
        message = f"{driver.after_heal} calls after heal of {driver.calls} calls in all"
        yield Problem(("driver", "after_heal"), message)


def _foreign(link: SystemLink) -> ForeignLink:
    possible = framers(link.framer, "tcp")["request"].decisions
    return ForeignLink(link.name, link.framer, possible, link.source == DRIVER and identifies(link.framer))


def _expect(cell: Cell) -> Iterator[Problem]:
    expect = cell.expect
    if expect.seen:
        yield Problem(("expect", "seen"), "opportunities are seen in our own servers' journals; expected none")
    if expect.strained:
        yield Problem(("expect", "strained"), "only our own servers say what they went through; expected none")
    if expect.convicted_by:
        yield Problem(("expect", "convicted_by"), "only our own mechanisms have broken variants; expected none")
    for key in ("bitten", "others"):
        outcome = getattr(expect, key)
        if outcome is not None and outcome.status is not None:
            yield Problem(("expect", key, "status"), "only our own servers say what a repeat was answered with")
