"""PURE: what each process of a cell is told when it is configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any, Literal

from chaos.faults.fault import Fault
from chaos.faults.processes import ProcessFault
from chaos.planes.process import failpoint
from chaos.recorded import plain
from chaos.supports import PLANE_OF, PLANES, PlaneName
from nodes.accepting import ACCEPTS_ON
from nodes.wire.addresses import Internet, UnixPath, read, written
from nodes.wire.header import client_number
from nodes.wire.transports import OF_ONE_HOST, TO_GROUPS
from orchestrator.scenario.cell import AnyLink, Cell, Server
from orchestrator.scenario.log import AT_ONCE, reported
from orchestrator.scenario.system import DRIVER, SystemLink
from orchestrator.scenario.triggers import TriggerEvent, parse_trigger, triggers

Place = Internet | UnixPath
"""Where a link is called at."""
NOBODY = "192.0.2.1"
"""An address that nobody has (RFC 5737)."""

REPORTED = frozenset({"invoke", TriggerEvent.ATTEMPT, TriggerEvent.OK, TriggerEvent.END})
"""Events of a client that it tells only when asked."""


def ordinal(cell: Cell, caller: str) -> int:
    """A caller's number in the plan, from 1."""
    return list(cell.callers).index(caller) + 1


Performer = PlaneName | Literal["client"]


def plane_of(cell: Cell, fault: Fault) -> Performer | None:
    """The plane that performs a fault, or that its link's client does; None for one that is done to a process."""
    if fault.on_process is not None:
        return None
    if fault.by_client:
        return "client"
    if fault.on_link is None:
        return "packet"
    return PLANE_OF[next(link.via for link in cell.paths if link.name == fault.on_link)]


def planes(cell: Cell) -> list[PlaneName]:
    """The planes that the cell needs, in the order in which they are started."""
    needed: set[Performer | None] = {PLANE_OF[link.via] for link in cell.paths if link.via != "direct"}
    needed |= {plane_of(cell, fault) for fault in cell.faults}
    return [plane for plane in PLANES if plane in needed]


def server_spec(
    cell: Cell,
    name: str,
    epoch: int,
    host: str,
    before: Mapping[str, Place] | None = None,
    known: Mapping[str, Place] | None = None,
) -> dict[str, Any]:
    """`host` is where it listens; `before` its addresses by link in its first epoch, None for that one; `known` those
    of all links that were configured by now."""
    server = cell.servers[name]
    return {
        "role": "server",
        "seed": cell.seed,
        "service": server.service,
        "yields": server.yields,
        "durability": server.durability,
        "lease": server.lease,
        "workers": server.workers,
        "backlog": server.backlog,
        "accepts_on": server.variant == ACCEPTS_ON,
        "host": host,
        "fenced": not any(link.variant == "fence-ignored" for link in cell.links if link.target == name),
        "endpoints": [
            {
                "link": link.name,
                "transport": link.transport,
                "codec": link.codec,
                "semantics": link.semantics,
                "variant": link.variant,
                "member": cell.member(link),
                **(_at(server, link, before) if not _joins(link) else _group(cell, link, known or {})),
            }
            for link in cell.links
            if link.target == name
        ],
        "failpoints": failpoints(cell, name, epoch),
        "samples": samples(cell),
    }


def samples(cell: Cell) -> bool:
    """Whether servers are to say what they use: somebody looks at it."""
    expect = cell.expect
    looked_at = {"quiescent"} & {*expect.properties, *expect.convicted_by}
    return bool(expect.strained or looked_at) or any(fault.samples for fault in cell.faults)


def _joins(link: AnyLink) -> bool:
    """Whether its server is a member of the group itself, and no hop in its stead."""
    return link.transport in TO_GROUPS and link.via == "direct"


def _group(cell: Cell, link: AnyLink, known: Mapping[str, Place]) -> dict[str, Any]:
    """The first of its members that starts chooses it."""
    chosen = (written(known[one.name]) for one in cell.group(link.source) if one.name in known)
    return {"group": next(chosen, None)}


def _at(server: Server, link: AnyLink, before: Mapping[str, Place] | None) -> dict[str, Any]:
    """Behind a plane a later epoch may listen anywhere; the clients of a direct link know one address."""
    known = before[link.name] if before is not None and link.via == "direct" else None
    if link.transport in OF_ONE_HOST:
        return {"path": "" if known is None else known[0]}
    if known is not None:
        return {"port": written(known)[1]}
    return {"port": server.port if before is None else 0}


def client_spec(cell: Cell, name: str, epoch: int, host: str, addresses: Mapping[str, Place]) -> dict[str, Any]:
    """`addresses` are those that links are called at; `host` is where its datagram sockets are bound."""
    client = cell.clients[name]
    return {
        "role": "client",
        "seed": cell.seed,
        "ordinal": ordinal(cell, name),
        "workload": client.workload,
        "calls": client.calls,
        "members": cell.members(name),
        "clients": client.clients,
        "workers": client.workers,
        "outstanding": client.outstanding,
        "after_heal": client.calls - client.last_before_heal,
        "retry": client.retry.model_dump(),
        "gates": sorted(before_heal(client.gates)),
        "links": [_called(cell, link, host, addresses[link.name]) for link in cell.links_of(name)],
        "crowds": [rule for link in cell.links_of(name) for rule in crowds_on(cell, link.name)],
        "failpoints": failpoints(cell, name, epoch),
        "report": sorted(reports(cell, name)),
    }


def _called(cell: Cell, link: AnyLink, host: str, address: Place) -> dict[str, Any]:
    return {
        "name": link.name,
        "transport": link.transport,
        "codec": link.codec,
        "semantics": link.semantics,
        "variant": link.variant,
        "local": host,
        "target": written(address),
        "service": cell.servers[link.target].service,
    }


def driver_spec(cell: Cell, folder: str, target: str) -> dict[str, Any]:
    """`folder` is the scenario's, absolute; `target` "host:port" is what the driver calls."""
    driver = cell.driver
    return {
        "role": "client",
        "seed": cell.seed,
        "ordinal": ordinal(cell, DRIVER),
        "workload": "call",
        "calls": driver.calls,
        "members": 1,
        "clients": driver.clients,
        "workers": 1,
        "outstanding": 1,
        "after_heal": driver.calls - driver.last_before_heal,
        "gates": sorted(before_heal(driver.gates)),
        "exec": {
            "argv": driver.argv,
            "folder": folder,
            "target": target,
            "timeout": driver.timeout,
            "patience": driver.patience,
        },
        "crowds": [],
        "failpoints": [],
        "report": sorted(reports(cell, DRIVER)),
    }


def before_heal(gates: Mapping[int, str]) -> Iterator[int]:
    """Those that are not heal's own."""
    return (call for call, trigger in gates.items() if trigger != TriggerEvent.HEALED)


def plane_spec(cell: Cell, plane: PlaneName, upstreams: Mapping[str, Place]) -> dict[str, Any]:
    """`upstreams` are the servers' addresses, by link. A system's come later, by commands: nobody is there yet."""
    links = [link for link in cell.paths if PLANE_OF[link.via] == plane]
    return {
        "seed": cell.seed,
        "links": [_plane_link(cell, link, upstreams) for link in links],
        "rules": rules_of(cell, None) if plane == "packet" else [],
    }


def _plane_link(cell: Cell, link: AnyLink | SystemLink, upstreams: Mapping[str, Place]) -> dict[str, Any]:
    told = {
        "name": link.name,
        "transport": link.transport,
        "codec": link.framer if isinstance(link, SystemLink) else link.codec,
        "source": link.source,
        "target": link.server,
        "rules": rules_of(cell, link.name),
        **({} if cell.log is None else {"log": [plain(entry) for entry in cell.log.of_link(link.name)]}),
    }
    if isinstance(link, SystemLink):
        return {**told, "port": link.port, "upstream": [NOBODY, link.port], "epoch": 0}
    return {**told, "member": cell.member(link), "upstream": written(upstreams[link.name]), "epoch": 1}


def rules_of(cell: Cell, link: str | None) -> list[dict[str, Any]]:
    """The faults of one link, or those that are on no one link, as their plane is told them."""
    return [
        _rule(index, fault)
        for index, fault in enumerate(cell.faults)
        if fault.on_process is None and fault.on_link == link and not fault.by_client
    ]


def crowds_on(cell: Cell, link: str) -> list[dict[str, Any]]:
    """Those of one link that its client performs."""
    return [_rule(index, fault) for index, fault in enumerate(cell.faults) if fault.by_client and fault.on_link == link]


def _rule(index: int, fault: Fault) -> dict[str, Any]:
    return {"index": index, "kind": type(fault).__name__, "active": fault.starts_on, **_told(fault)}


def _told(value: Any) -> Any:
    """A fault by its fields, and so what stands in one of them."""
    if not is_dataclass(value):
        return value
    return {name: _told(part) for name, part in vars(value).items()}


def failpoints(cell: Cell, node: str, epoch: int) -> list[dict[str, Any]]:
    """The failpoints armed in one epoch of a node."""
    armed = []
    for index, fault in enumerate(cell.faults):
        struck = fault.on_process
        if struck is not None and (struck.target, struck.epoch) == (node, epoch):
            spec = failpoint(index, struck, failpoint_client(cell, struck))
            if spec is not None:
                armed.append(spec)
    return armed


def failpoint_client(cell: Cell, fault: ProcessFault) -> int:
    """The number of the client whose operation the failpoint names."""
    return client_number(_client_of(cell, fault.target), fault.client, 1)


def _client_of(cell: Cell, node: str) -> int:
    """Whose operations a failpoint of this node names: its own, or those of the first client that calls it."""
    if node in cell.clients:
        return ordinal(cell, node)
    return next(ordinal(cell, link.source) for link in cell.links if link.target == node)


def reports(cell: Cell, client: str) -> set[tuple[str, int]]:
    """What the cell's triggers want to hear from this client, or from a system's driver."""
    wanted = (reported(text) or parse_trigger(text) for text in triggers(cell) if text != AT_ONCE)
    return {(str(event), number) for node, event, number in wanted if node == client and event in REPORTED}


def addresses(answer: Mapping[str, Any]) -> dict[str, Place]:
    """AnyLink -> where it is, from an answer to configure."""
    return {link: read(told) for link, told in answer["addresses"].items()}
