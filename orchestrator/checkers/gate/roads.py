"""PURE: what stands between a client and the servers that it calls, as far as it writes messages down."""

from __future__ import annotations

from typing import NamedTuple

from chaos.supports import PLANE_OF
from nodes.wire.header import turn
from nodes.wire.record import Kind
from nodes.wire.transports import TRANSPORTS
from orchestrator.checkers.views import Views
from orchestrator.scenario.cell import AnyLink, Cell


class Road(NamedTuple):
    """Where an operation's messages go; a hello's take any of its client's links.

    told: a message plane stands on it, and writes down what it does to each, in these directions. counted: nothing else
    makes more messages of one.
    """

    links: frozenset[str]
    servers: frozenset[str]
    told: frozenset[str]
    counted: bool


class Roads:
    """Of a run's clients. Packet planes and stream proxies write down no message; netem may make more of a datagram."""

    def __init__(self, setting: Views) -> None:
        self._setting = setting
        self._known: dict[tuple[str, int], Road] = {}
        self._silent = {
            (event.detail.get("link"), event.detail.get("direction"))
            for event in setting.index.of_kind(Kind.UNIDENTIFIED)
        }
        """(link, direction) of streams that went on without identity from somewhere on."""

    def of(self, node: str, seq: int) -> Road:
        links = self._setting.cell.links_of(node)
        which = turn(seq, len(links)) if seq else -1
        if (node, which) not in self._known:
            self._known[node, which] = self._road(links if which < 0 else links[which : which + 1])
        return self._known[node, which]

    def _road(self, links: tuple[AnyLink, ...]) -> Road:
        relayed = all(PLANE_OF[link.via] == "relay" for link in links)
        silent = {direction for link, direction in self._silent if any(link == one.name for one in links)}
        told = frozenset({"request", "reply"} - silent) if relayed else frozenset[str]()
        counted = not silent and not any(_doubled(self._setting.cell, link) for link in links)
        names = frozenset(link.name for link in links)
        return Road(names, frozenset(link.target for link in links), told, counted)


def _doubled(cell: Cell, link: AnyLink) -> bool:
    ours = (fault for fault in cell.faults if fault.on_link == link.name and PLANE_OF[link.via] == "packet")
    brought = (fault.models(datagrams=not TRANSPORTS[link.transport].ordered, packets=True) for fault in ours)
    return any("duplication" in models for models in brought)
