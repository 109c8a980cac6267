"""PURE: what each process of a cell is told when it is configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from chaos.faults import Fault, Hold, Kill, Pause
from chaos.planes.process import failpoint, target
from nodes.wire.header import client_number
from orchestrator.scenario import Cell, Link

RELAY = "relay"
Address = tuple[str, int]

REPORTED = frozenset({"attempt", "ok", "end"})
"""Events of a client that it tells only when asked."""


def ordinal(cell: Cell, client: str) -> int:
    """A client node's number in the plan, from 1."""
    return list(cell.clients).index(client) + 1


def server_spec(cell: Cell, name: str, epoch: int) -> dict[str, Any]:
    server = cell.servers[name]
    return {
        "role": "server",
        "seed": cell.seed,
        "service": server.service,
        "yields": server.yields,
        "durability": server.durability,
        "lease": server.lease,
        "host": "127.0.0.1",
        "port": server.port if epoch == 1 else 0,
        "endpoints": [
            {
                "link": link.name,
                "transport": link.transport,
                "codec": link.codec,
                "semantics": link.semantics,
                "variant": link.variant,
            }
            for link in cell.links
            if link.target == name
        ],
        "failpoints": failpoints(cell, name, epoch),
    }


def client_spec(cell: Cell, name: str, epoch: int, addresses: Mapping[str, Address]) -> dict[str, Any]:
    """`addresses` are the relay's, by link."""
    client = cell.clients[name]
    link = next(link for link in cell.links if link.source == name)
    return {
        "role": "client",
        "seed": cell.seed,
        "ordinal": ordinal(cell, name),
        "workload": client.workload,
        "calls": client.calls,
        "clients": client.clients,
        "outstanding": client.outstanding,
        "after_heal": client.after_heal,
        "retry": client.retry.model_dump(),
        "gates": sorted(client.gates),
        "link": {
            "name": link.name,
            "transport": link.transport,
            "codec": link.codec,
            "semantics": link.semantics,
            "variant": link.variant,
            "target": list(addresses[link.name]),
            "service": cell.servers[link.target].service,
        },
        "failpoints": failpoints(cell, name, epoch),
        "report": sorted(reports(cell, name)),
    }


def relay_spec(cell: Cell, upstreams: Mapping[str, Address]) -> dict[str, Any]:
    """`upstreams` are the servers' addresses, by link."""
    return {"seed": cell.seed, "links": [_relay_link(cell, link, upstreams[link.name]) for link in cell.links]}


def _relay_link(cell: Cell, link: Link, upstream: Address) -> dict[str, Any]:
    return {
        "name": link.name,
        "transport": link.transport,
        "codec": link.codec,
        "source": link.source,
        "target": link.target,
        "upstream": list(upstream),
        "epoch": 1,
        "rules": [
            {"index": index, "kind": type(fault).__name__, "active": starts_on(fault), **asdict(fault)}
            for index, fault in enumerate(cell.faults)
            if not isinstance(fault, (Kill, Pause)) and fault.link == link.name
        ],
    }


def starts_on(fault: Fault) -> bool:
    return fault.when is None and fault.after is None


def failpoints(cell: Cell, node: str, epoch: int) -> list[dict[str, Any]]:
    """The failpoints armed in one epoch of a node."""
    armed = []
    for fault in cell.faults:
        if isinstance(fault, (Kill, Pause)) and target(fault) == node and fault.epoch == epoch:
            spec = failpoint(fault, client_number(_client_of(cell, node), fault.client, 1))
            if spec is not None:
                armed.append(spec)
    return armed


def _client_of(cell: Cell, node: str) -> int:
    """Whose operations a failpoint of this node names: its own, or those of the first client that calls it."""
    if node in cell.clients:
        return ordinal(cell, node)
    return next(ordinal(cell, link.source) for link in cell.links if link.target == node)


def reports(cell: Cell, client: str) -> set[tuple[str, int]]:
    """What the cell's triggers want to hear from this client."""
    wanted = set()
    for trigger in triggers(cell):
        words = trigger.split()
        if len(words) == 3 and words[0] == client and words[1] in REPORTED:
            wanted.add((words[1], int(words[2])))
    return wanted


def triggers(cell: Cell) -> Iterator[str]:
    """Every trigger that the cell names."""
    for fault in cell.faults:
        if fault.when is not None:
            yield fault.when
        if isinstance(fault, Hold) and fault.until is not None:
            yield fault.until
        if isinstance(fault, Kill) and fault.restart is not None and fault.restart.when is not None:
            yield fault.restart.when
    for client in cell.clients.values():
        yield from client.gates.values()


def addresses(answer: Mapping[str, Any]) -> dict[str, Address]:
    """Link -> (host, port), from an answer to configure."""
    return {link: (host, port) for link, (host, port) in answer["addresses"].items()}
