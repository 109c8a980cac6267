"""PURE: which agent runs which node, by what scenarios ask for and agents offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nodes.wire.transports import OF_ONE_HOST
from orchestrator.backends.attach.inventory import AgentEntry
from orchestrator.scenario.cell import Cell, Client, Place, Server


class Offer(NamedTuple):
    """What an agent says of its host. Engines and planes have None, or the reason why they cannot be there.

    `domain` is the clock domain of its times; `reached` the address of its own at which it was reached.
    """

    version: str
    os: str
    engines: Mapping[str, str | None]
    planes: Mapping[str, str | None]
    domain: str
    reached: str


class Misplaced(Exception):
    """A node that no agent can run. `path` leads to it in the scenario; the text says why each agent cannot."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


def place(cell: Cell, agents: Mapping[str, AgentEntry], offers: Mapping[str, Offer]) -> dict[str, str]:
    """Node -> agent. Nodes that several agents fit are dealt out, one to each in turn, but those that a transport of
    one host joins together. Raises Misplaced.
    """
    taking = {name: offer for name, offer in offers.items() if agents[name].nodes}
    nodes = cell.servers | cell.clients
    placed: dict[str, str] = {}
    for turn, name in enumerate(nodes):
        if name not in placed:
            joined = {one: nodes[one] for one in nodes if one in _joined(cell, name)}
            reasons = {agent: _misfit(joined, name, agent, offer) for agent, offer in taking.items()}
            fitting = [agent for agent, reason in reasons.items() if reason is None]
            if not fitting:
                raise _misplaced(name, joined, reasons)
            placed |= dict.fromkeys(joined, fitting[turn % len(fitting)])
    return placed


def _joined(cell: Cell, name: str) -> set[str]:
    """The node, and every other that has to be on its host."""
    ends = [{link.source, link.target} for link in cell.links if link.transport in OF_ONE_HOST]
    joined = {name}
    while more := set[str]().union(*(pair for pair in ends if pair & joined)) - joined:
        joined |= more
    return joined


def _misfit(joined: Mapping[str, Server | Client], name: str, agent: str, offer: Offer) -> str | None:
    """Why this agent cannot run all of them, None if it can."""
    for other, node in joined.items():
        if (reason := misfit(node, agent, offer)) is not None:
            return reason if other == name else f"{other}: {reason}"
    return None


def _misplaced(name: str, joined: Mapping[str, object], reasons: Mapping[str, str | None]) -> Misplaced:
    others = " and ".join(other for other in joined if other != name)
    beside = f", and {others} beside it, which Unix sockets join to it" if others else ""
    told = "; ".join(f"{agent}: {reason}" for agent, reason in reasons.items())
    return Misplaced(f"nodes.{name}", f"no agent of the inventory can run it{beside} ({told})")


def misfit(node: Server | Client, agent: str, offer: Offer) -> str | None:
    """Why this agent cannot run the node, None if it can."""
    place = node.place or Place()
    if place.host not in (None, agent):
        return f"the scenario wants {place.host}"
    if place.os not in (None, offer.os):
        return f"it is {offer.os}, the scenario wants {place.os}"
    for engine in dict.fromkeys((place.engine or node.engine, node.engine)):
        if engine not in offer.engines:
            return f"it does not know the engine {engine}"
        if (reason := offer.engines[engine]) is not None:
            return f"engine {engine}: {reason}"
    if node.limits.cpus is not None or node.limits.memory is not None:
        return "an agent limits open files alone; limits of processors and memory need --backend docker"
    return None


def relay_agent(agents: Mapping[str, AgentEntry]) -> str:
    """The agent that runs the relay: the one whose entry says so, else the first."""
    return next((name for name, entry in agents.items() if entry.relay), next(iter(agents)))


def data_address(entry: AgentEntry, offer: Offer) -> str:
    """Where the sockets of an agent's processes are bound, and reached by those of others."""
    return entry.data or offer.reached


def unreachable(addresses: Mapping[str, str]) -> str | None:
    """Why these agents' nodes cannot reach one another, as far as their data addresses tell; None if they may."""
    loopback = [agent for agent, address in addresses.items() if _is_loopback(address)]
    if not loopback or len(loopback) == len(addresses):
        return None
    others = ", ".join(f"{agent} at {addresses[agent]}" for agent in addresses if agent not in loopback)
    return (
        f"nodes of {', '.join(loopback)} would be bound to the loopback address, which nodes of {others} cannot reach; "
        "give these agents a `data` address in the inventory"
    )


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address in ("::1", "localhost")
