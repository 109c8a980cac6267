"""What several backends cannot do, asked of each cell before anything is started: problems with their places.

A cell of a folder that has one is left out and told; a scenario that was named is refused with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chaos.problem import Problem
from nodes.engines import NAMES, availability, offer, variants
from nodes.engines.common.offer import Offer
from nodes.rpc.semantics import UNFILTERED
from nodes.services import SERVICES
from nodes.wire.transports import OF_ONE_HOST, TRANSPORTS
from orchestrator.backends.descriptors import needs
from orchestrator.report.result import Refusal
from orchestrator.scenario.cell import Cell, Client, Server

OF_ENGINES = ("quiescent", "fair")
"""Properties of what performs programs, and not of the programs."""


OF_CONNECTIONS = frozenset({"buffers-full", "peers-vanished"})
"""Strains that show in the process that serves a connection."""


def refusal(cell: Cell, problems: Iterator[Problem]) -> Refusal | None:
    """None if it has no problem."""
    found = tuple(problems)
    return Refusal(cell, found) if found else None


def _nodes(cell: Cell) -> Iterator[tuple[str, Server | Client]]:
    yield from (cell.servers | cell.clients).items()


def engines(cell: Cell) -> Iterator[Problem]:
    """Those that cannot run on this machine."""
    for name, node in _nodes(cell):
        reason = availability(node.engine)
        if reason is not None:
            message = f"engine {node.engine} cannot run here: {reason}; --backend sim needs no engine"
            yield Problem(("nodes", name, "engine"), message)


def offers(cell: Cell, offer: Callable[[str], Offer] = offer) -> Iterator[Problem]:
    """Engines of which more is asked than they can do, wherever they run."""
    nodes = dict(_nodes(cell))
    for name, node in nodes.items():
        if node.workers > (most := offer(node.engine).workers):
            able = ", ".join(other for other in NAMES if offer(other).workers >= node.workers) or "fewer"
            message = f"engine {node.engine} has {most} of the {node.workers} workers; expected {able}"
            yield Problem(("nodes", name, "workers"), message)
    for name, transport in {(name, link.transport): None for link in cell.links for name in (link.source, link.target)}:
        engine = nodes[name].engine
        if transport not in offer(engine).transports:
            able = ", ".join(other for other in NAMES if transport in offer(other).transports)
            reason = "" if _has_datagrams(offer(engine)) else ", which has no connections"
            message = f"engine {engine} does not serve {transport}{reason}; expected one of {able}"
            yield Problem(("nodes", name, "engine"), message)
    for name, server in cell.servers.items():
        if not offer(server.engine).shared and (needed := _of_all_connections(cell, name)) is not None:
            able = ", ".join(other for other in NAMES if offer(other).shared)
            message = f"engine {server.engine} gives each connection a memory of its own, not {needed}; expected {able}"
            yield Problem(("nodes", name, "engine"), message)
    yield from _variants(cell)
    yield from _judged(cell, offer)


def _variants(cell: Cell) -> Iterator[Problem]:
    """Servers that are to be wrong in a way in which their engine cannot be."""
    for name, server in cell.servers.items():
        able = variants.OF.get(server.variant or "", NAMES)
        if server.engine not in able:
            message = f"engine {server.engine} cannot be {server.variant}; expected one of {', '.join(able)}"
            yield Problem(("nodes", name, "variant"), message)


def _judged(cell: Cell, offer: Callable[[str], Offer]) -> Iterator[Problem]:
    """What is expected of servers, and their engines cannot have or show."""
    expect, engines = cell.expect, {name: server.engine for name, server in cell.servers.items()}
    for name, engine in engines.items():
        if expect.properties.get("quiescent") == "holds" and not offer(engine).waits:
            able = ", ".join(other for other in NAMES if offer(other).waits)
            message = f"engine {engine} never waits, and quiescent is not to use CPU for nothing; expected {able}"
            yield Problem(("nodes", name, "engine"), message)
    unseen = [strain for strain in expect.strained if strain in OF_CONNECTIONS]
    if unseen and not any(offer(engine).shared for engine in engines.values()):
        able = ", ".join(other for other in NAMES if offer(other).shared)
        message = f"an engine with a process for each connection does not tell of {unseen[0]}; expected {able}"
        yield Problem(("expect", "strained"), message)


def of_processes(cell: Cell, backend: str) -> Iterator[Problem]:
    """What is expected of engines and CPU, of a backend that has neither."""
    expect = cell.expect
    for key in ("strained", *OF_ENGINES):
        if getattr(expect, key) or key in expect.convicted_by:
            message = f"--backend {backend} has no engines and uses no CPU of its nodes; use --backend local"
            yield Problem(("expect", key), message)


def _has_datagrams(offer: Offer) -> bool:
    return not all(TRANSPORTS[transport].connected for transport in offer.transports)


def _of_all_connections(cell: Cell, name: str) -> str | None:
    """What a server needs that all its connections have together; None if it needs nothing."""
    service = cell.servers[name].service
    if any(procedure.effect for procedure in SERVICES[service].interface.procedures):
        return f"one for the state of a {service}"
    filtered = {link.semantics for link in cell.links if link.target == name} - UNFILTERED
    if filtered:
        return f"one for the history of calls of {', '.join(sorted(filtered))}"
    struck = (fault.on_process for fault in cell.faults)
    if any(one is not None and one.target == name and one.at is not None and one.operation is None for one in struck):
        return "one for the count of an nth passage"
    return None


def limits(cell: Cell, backend: str, possible: frozenset[str] = frozenset()) -> Iterator[Problem]:
    """Those of nodes other than the `possible` ones."""
    for name, node in _nodes(cell):
        wanted = node.limits.model_dump(exclude_none=True).keys()
        if impossible := sorted(wanted - possible):
            message = f"--backend {backend} cannot limit the {' and '.join(impossible)} of a node; use --backend docker"
            yield Problem(("nodes", name, "limits"), message)


def descriptors(cell: Cell, allowed: int | None) -> Iterator[Problem]:
    """Processes that need more than the limit that they inherit; a node that has `limits.files` is meant to have it."""
    for path, needed in sorted(needs(cell).items()):
        if allowed is not None and needed > allowed:
            message = (
                f"it may need {needed} open files, and {allowed} are allowed here; allow more (ulimit -n {needed})"
            )
            yield Problem(path, message)


def files(cell: Cell, highest: int | None) -> Iterator[Problem]:
    """Of nodes that are to have more descriptors than this machine allows any process."""
    for name, node in _nodes(cell):
        wanted = node.limits.files
        if wanted is not None and highest is not None and wanted > highest:
            message = f"{wanted} open files are more than the {highest} that this machine allows; give it less"
            yield Problem(("nodes", name, "limits", "files"), message)


def places(cell: Cell, backend: str) -> Iterator[Problem]:
    """Of a backend without agents."""
    for name, node in _nodes(cell):
        if node.place is not None:
            message = f"--backend {backend} has no agents to place nodes on; use --backend attach --inventory FILE"
            yield Problem(("nodes", name, "place"), message)


def one_host(cell: Cell, *, shared: bool) -> Iterator[Problem]:
    """Unix sockets, which reach no further than a host, and no other container. `shared`: the cell's nodes have one."""
    for index, link in enumerate(cell.links):
        if link.transport in OF_ONE_HOST and not shared:
            message = f"{link.transport} does not reach out of a host or a container; use --backend local"
            yield Problem(("links", index, "transport"), message)


def systems(cell: Cell, backend: str) -> Iterator[Problem]:
    """Of a backend that runs our own nodes alone."""
    if cell.system is not None:
        message = f"a compose project runs at this machine's engine, whatever --backend {backend}; leave it out"
        yield Problem(("system",), message)
