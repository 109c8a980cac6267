"""PURE: nodes, the links between them, and the gates of clients."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.problem import Path, Problem, names
from chaos.supports import PLANES, SUPPORTS
from nodes.accepting import ACCEPTS_ON
from nodes.engines import NAMES as ENGINES
from nodes.services import SERVICE_OF
from nodes.wire.messages import STREAMED
from nodes.wire.transports import LINKS, OF_ONE_HOST, STREAMS, TO_GROUPS, TRANSPORTS
from orchestrator.scenario.cell import AnyLink, Cell, Client, Link, SocketLink
from orchestrator.scenario.coherence.waiting import trigger

ECHO = "echo"
"""The service that a socket server has."""
RESERVED = frozenset({*PLANES, "orchestrator"})
"""Names of the testbed's own processes, whose journals lie beside the nodes'."""


def called(cell: Cell) -> Iterator[Problem]:
    """Whether every name is somebody's, and every client calls somebody."""
    servers, clients = cell.servers, cell.clients
    if not servers:
        yield Problem(("nodes",), "no server; expected a node with a service")
    if not clients:
        yield Problem(("nodes",), "no client; expected a node with a workload")
    for name in servers | clients:
        if name in RESERVED:
            yield Problem(("nodes", name), f"{name!r} is the name of one of the testbed's own processes")
    known: set[str] = set()
    for index, link in enumerate(cell.links):
        if link.source not in clients:
            if clients:
                message = f"no client {link.source!r}; expected one of {names(clients)}"
                yield Problem(("links", index, "from"), message)
        elif link.target not in servers:
            if servers:
                yield Problem(("links", index, "to"), f"no server {link.target!r}; expected one of {names(servers)}")
        elif link.name in known:
            yield Problem(("links", index), f"a second link {link.name}; expected one from a client to a server")
        known.add(link.name)
    calling = {link.source for link in cell.links}
    if servers and calling <= clients.keys():
        for name in clients:
            if name not in calling:
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
    servers, clients = cell.servers, cell.clients
    for index, link in enumerate(cell.links):
        yield from _link(clients[link.source].workload, servers[link.target].service, link, ("links", index))
    for name in servers:
        yield from _accepting(cell, name)
    for name in clients:
        yield from _sent_once(cell, name)
        yield from _group(cell, name)


def _accepting(cell: Cell, name: str) -> Iterator[Problem]:
    """Connections wait to be accepted, datagrams do not: what is said of that, other than by default, has no effect."""
    server, taken = cell.servers[name], [link.transport for link in cell.links if link.target == name]
    if any(TRANSPORTS[one].connected for one in taken):
        return
    if "backlog" in server.model_fields_set:
        message = f"{names(taken)} has no connections that wait to be accepted; expected backlog left out"
        yield Problem(("nodes", name, "backlog"), message)
    if server.variant == ACCEPTS_ON:
        message = f"{names(taken)} has no connections to accept; expected another variant"
        yield Problem(("nodes", name, "variant"), message)


def _sent_once(cell: Cell, name: str) -> Iterator[Problem]:
    """A client of messages alone sends nothing again: what is said of that, other than by default, has no effect."""
    if any(isinstance(link, Link) for link in cell.links_of(name)):
        return
    for key in sorted(cell.clients[name].retry.model_fields_set - {"patience"}):
        message = "messages of a protocol are sent once, and no call is made again; expected patience alone"
        yield Problem(("nodes", name, "retry", key), message)


def _group(cell: Cell, name: str) -> Iterator[Problem]:
    """Of a client whose messages go to the members of a group."""
    group, client = cell.group(name), cell.clients[name]
    for index, link in enumerate(cell.links):
        path = ("links", index)
        if link in group and any(type(fault) in SUPPORTS["packet"] for fault in cell.faults):
            yield Problem((*path, "transport"), "packet faults know no groups; expected faults on messages")
        if group and link.source == name and link not in group:
            message = f"{name} sends to a group, so that each of its links leads to a member; expected {TO_GROUPS[0]}"
            yield Problem((*path, "transport"), message)
        if link in group and link.via != group[0].via:
            message = f"{group[0].name} is a member with via: {group[0].via}; expected the same of all members"
            yield Problem((*path, "via"), message)
    if group and group == cell.links_of(name):
        yield from _together(name, client, len(group))


def _together(name: str, client: Client, members: int) -> Iterator[Problem]:
    """The deliveries of one message, of which a client's numbers are."""
    for key, count in (("calls", client.calls), ("outstanding", client.outstanding), ("after_heal", client.after_heal)):
        if count % members:
            message = f"{count} deliveries to {members} members; expected a multiple of {members}"
            yield Problem(("nodes", name, key), message)
    for operation in client.gates:
        if (operation - 1) % members:
            message = f"a gate within a message, whose deliveries begin together; expected 1, {1 + members}, ..."
            yield Problem(("nodes", name, "gates", str(operation)), message)


def _link(workload: str, service: str, link: AnyLink, path: Path) -> Iterator[Problem]:
    if SERVICE_OF[workload] != service:
        expected = f"{workload} calls a {SERVICE_OF[workload]}"
        yield Problem(path, f"workload {workload} over a link to a service {service}; {expected}")
    if isinstance(link, SocketLink):
        yield from _socket(service, link, path)
    if link.via == "toxiproxy" and link.transport not in STREAMS:
        yield Problem((*path, "via"), "Toxiproxy carries TCP only; expected transport: tcp, or via: relay or direct")


def _socket(service: str, link: SocketLink, path: Path) -> Iterator[Problem]:
    if service != ECHO:
        message = f"a service {service} takes calls, which have semantics; expected a service {ECHO} behind a protocol"
        yield Problem((*path, "protocol"), message)
    if TRANSPORTS[link.transport].bounded == (link.protocol in STREAMED):
        every = (*LINKS, *TO_GROUPS, *OF_ONE_HOST)
        able = " or ".join(name for name in every if TRANSPORTS[name].bounded != (link.protocol in STREAMED))
        message = f"{link.transport} carries no {link.protocol}; expected transport: {able}"
        yield Problem((*path, "protocol"), message)
    if link.transport in OF_ONE_HOST and link.via != "direct":
        message = f"no plane stands in the way of {link.transport}; expected via: direct"
        yield Problem((*path, "via"), message)


def gates(cell: Cell) -> Iterator[Problem]:
    for name, caller in cell.callers.items():
        place = ("nodes", name) if cell.system is None else (name,)
        for operation, text in caller.gates.items():
            path = (*place, "gates", str(operation))
            if not 1 <= operation <= caller.calls:
                yield Problem(path, f"a gate before operation {operation} of {caller.calls} calls; they count from 1")
            yield from trigger(cell, text, path)
