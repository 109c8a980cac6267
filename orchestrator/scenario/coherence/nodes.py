"""PURE: nodes, the links between them, and the gates of clients."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.problem import Path, Problem, names
from chaos.supports import PLANES
from nodes.engines import NAMES as ENGINES
from nodes.services import SERVICE_OF
from orchestrator.scenario.cell import Cell, Link
from orchestrator.scenario.coherence.waiting import trigger

RESERVED = frozenset({*PLANES, "orchestrator"})
"""Names of the testbed's own processes, whose journals lie beside the nodes'."""


def called(cell: Cell) -> Iterator[Problem]:
    """Whether every name is somebody's, and every client calls somebody."""
    if not cell.servers:
        yield Problem(("nodes",), "no server; expected a node with a service")
    if not cell.clients:
        yield Problem(("nodes",), "no client; expected a node with a workload")
    for name in cell.servers | cell.clients:
        if name in RESERVED:
            yield Problem(("nodes", name), f"{name!r} is the name of one of the testbed's own processes")
    for index, link in enumerate(cell.links):
        if link.source not in cell.clients:
            message = f"no client {link.source!r}; expected one of {names(cell.clients)}"
            yield Problem(("links", index, "from"), message)
        elif link.target not in cell.servers:
            yield Problem(("links", index, "to"), f"no server {link.target!r}; expected one of {names(cell.servers)}")
        elif link.name in {other.name for other in cell.links[:index]}:
            yield Problem(("links", index), f"a second link {link.name}; expected one from a client to a server")
    if {link.source for link in cell.links} <= cell.clients.keys():
        for name in cell.clients:
            if not cell.links_of(name):
                yield Problem(("links",), f"client {name!r} has 0 links; expected at least one")


def problems(cell: Cell) -> Iterator[Problem]:
    for name, node in (cell.servers | cell.clients).items():
        if node.engine not in ENGINES:
            expected = ", ".join(ENGINES)
            yield Problem(("nodes", name, "engine"), f"no engine {node.engine!r}; expected one of {expected}")
    for name, client in cell.clients.items():
        if client.after_heal > client.calls:
            message = f"{client.after_heal} calls after heal of {client.calls} calls in all"
            yield Problem(("nodes", name, "after_heal"), message)


def links(cell: Cell) -> Iterator[Problem]:
    """Between nodes that are there."""
    for index, link in enumerate(cell.links):
        yield from _link(cell, link, ("links", index))


def _link(cell: Cell, link: Link, path: Path) -> Iterator[Problem]:
    workload, service = cell.clients[link.source].workload, cell.servers[link.target].service
    if SERVICE_OF[workload] != service:
        expected = f"{workload} calls a {SERVICE_OF[workload]}"
        yield Problem(path, f"workload {workload} over a link to a service {service}; {expected}")
    if link.via == "toxiproxy" and link.transport != "tcp":
        yield Problem((*path, "via"), "Toxiproxy carries TCP only; expected transport: tcp, or via: relay or direct")


def gates(cell: Cell) -> Iterator[Problem]:
    for name, caller in cell.callers.items():
        place = ("nodes", name) if cell.system is None else (name,)
        for operation, text in caller.gates.items():
            path = (*place, "gates", str(operation))
            if not 1 <= operation <= caller.calls:
                yield Problem(path, f"a gate before operation {operation} of {caller.calls} calls; they count from 1")
            yield from trigger(cell, text, path)
