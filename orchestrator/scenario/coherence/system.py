"""PURE: whether the parts of a system's cell fit one another.

Faults, triggers and expectations are checked as those of our own nodes are: the cell is shown to those checks with
its services as servers and its driver as their client. What is different is checked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from chaos.faults.messages import MessageFault
from chaos.faults.processes import Kill, Pause
from chaos.faults.streams import Bandwidth, Slicer, SlowClose
from chaos.faults.vocabulary import Fault
from chaos.framers import framers, identifies
from orchestrator.scenario.cell import Cell, Client, Link, Server
from orchestrator.scenario.coherence import expectations, faults
from orchestrator.scenario.coherence.nodes import RESERVED
from orchestrator.scenario.coherence.problem import Path, Problem, names, trigger
from orchestrator.scenario.system import DRIVER, Driver, System, SystemLink

UNTOLD = MappingProxyType({Bandwidth: "bandwidth", Slicer: "slicer", SlowClose: "slow_close"})
"""Toxics of which the driver's evidence shows nothing."""


class Shown(Link):
    """A link of a system as if the driver called it."""

    given: str

    @property
    def name(self) -> str:
        return self.given


def problems(cell: Cell) -> Iterator[Problem]:
    system = cell.system
    assert system is not None, "the cell of a system"
    yield from _links(system)
    yield from _driver(cell.driver)
    links = {link.name: link for link in system.links}
    for index, fault in enumerate(cell.faults):
        yield from _fault(links, fault, ("faults", index))
    shown = _shown(cell, system)
    yield from faults.problems(shown)
    yield from _gates(shown)
    yield from _expect(cell)
    yield from expectations.problems(shown)


def _shown(cell: Cell, system: System) -> Cell:
    driver = cell.driver
    client = Client(
        workload="add", calls=driver.calls, clients=driver.clients, after_heal=driver.after_heal, gates=driver.gates
    )
    links = tuple(
        Shown(source=DRIVER, target=link.service, semantics="maybe", via=link.via, given=link.name)
        for link in system.links
    )
    servers = {name: Server(service="counter") for name in system.services}
    return cell.model_copy(update={"nodes": {**servers, DRIVER: client}, "links": links})


def _links(system: System) -> Iterator[Problem]:
    ports: dict[int, str] = {}
    targets: set[str] = set()
    for index, link in enumerate(system.links):
        path = ("links", index)
        for key, name in (("from", link.source), ("to", link.service)):
            if name in RESERVED or (key == "to" and name == DRIVER):
                yield Problem((*path, key), f"{name!r} is the name of one of the testbed's own processes")
        if link.port > 65535:
            yield Problem((*path, "to"), f"there is no port {link.port}")
        if link.target in targets:
            yield Problem((*path, "to"), f"a second link to {link.target}: all that call it go through the first one")
        targets.add(link.target)
        if ports.setdefault(link.port, link.service) != link.service:
            message = f"port {link.port} of both {ports[link.port]} and {link.service}: one proxy cannot stand for both"
            yield Problem((*path, "to"), f"{message}; expected links to different ports")
    vias = {link.via for link in system.links}
    if len(vias) > 1:
        yield Problem(("links",), f"links via {names(vias)}; expected one proxy for all links of a system")
    if sum(link.source == DRIVER for link in system.links) != 1:
        yield Problem(("links",), f"expected exactly one link from {DRIVER}, to the service that it calls")
    yield from _circle(system)


def _circle(system: System) -> Iterator[Problem]:
    calls = {
        link.service: {other.service for other in system.links if other.source == link.service} for link in system.links
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


def _gates(shown: Cell) -> Iterator[Problem]:
    client = shown.clients[DRIVER]
    for operation, text in client.gates.items():
        path = ("driver", "gates", str(operation))
        if not 1 <= operation <= client.calls:
            yield Problem(path, f"a gate before operation {operation} of {client.calls} calls; they count from 1")
        yield from trigger(shown, text, path)


def _fault(links: dict[str, SystemLink], fault: Fault, path: Path) -> Iterator[Problem]:
    if isinstance(fault, (Kill, Pause)):
        yield from _process_fault(fault, path)
    yield from _toxic(fault, path)
    if (link := links.get(getattr(fault, "link", ""))) is not None and isinstance(fault, MessageFault):
        yield from _message_fault(link, fault, path)


def _toxic(fault: Fault, path: Path) -> Iterator[Problem]:
    for kind, verb in UNTOLD.items():
        if isinstance(fault, kind):
            message = f"what {verb} does to a system's calls looks like their own slowness; expected another toxic"
            yield Problem((*path, verb), message)


def _process_fault(fault: Kill | Pause, path: Path) -> Iterator[Problem]:
    if fault.at is not None:
        yield Problem((*path, "at"), "a system that is not ours has no failpoints; expected when or after")
    if isinstance(fault, Pause) and fault.restart is not None:
        yield Problem((*path, "restart"), "a service that is paused goes on; expected lasts")
    if fault.restart is not None and fault.restart.state != "keep":
        yield Problem((*path, "restart", "state"), "a service comes back with what its volumes hold; expected keep")


def _message_fault(link: SystemLink, fault: MessageFault, path: Path) -> Iterator[Problem]:
    verb = type(fault).__name__.lower()
    if verb not in (possible := framers(link.framer, "tcp")["request"].decisions):
        yield Problem((*path, verb), f"{verb} is not possible in {link.framer}; possible are {names(possible)}")
    if fault.attempt != 1:
        yield Problem((*path, "attempt"), "attempts of others are not told apart; expected 1, the first copy")
    if link.source == DRIVER and identifies(link.framer):
        return
    for key in ("operations", "every", "clients"):
        if getattr(fault, key) is not None:
            message = f"messages of {link.name} name no operation of the driver; expected probability, or no choice"
            yield Problem((*path, key), message)


def _expect(cell: Cell) -> Iterator[Problem]:
    expect = cell.expect
    if expect.seen:
        yield Problem(("expect", "seen"), "opportunities are seen in our own servers' journals; expected none")
    if expect.convicted_by:
        yield Problem(("expect", "convicted_by"), "only our own mechanisms have broken variants; expected none")
    for key in ("bitten", "others"):
        outcome = getattr(expect, key)
        if outcome is not None and outcome.status is not None:
            yield Problem(("expect", key, "status"), "only our own servers say what a repeat was answered with")
