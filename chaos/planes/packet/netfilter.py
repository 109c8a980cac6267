"""Faults that drop or reject packets, by nftables in the namespace where they arrive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from chaos.faults import Blackhole, Loss, Partition, Reject, Split
from chaos.groups import separated
from chaos.planes.packet import connections, nft
from chaos.planes.packet.connections import Peer
from chaos.planes.packet.mechanism import Count, Flow, Place, Rule
from chaos.planes.packet.namespace import NamespaceError, NamespaceGone

ByNode = dict[str, list[nft.Clause]]


class Netfilter:
    """A Mechanism. What it keeps of a rule that is on are its clauses, by the node where they are."""

    KINDS = (Loss, Partition, Split, Reject, Blackhole)

    def __init__(self, places: Mapping[str, Place], links: Iterable[Flow]) -> None:
        self._places = places
        self._links = list(links)
        self._on: dict[int, ByNode] = {}
        self._touched: set[str] = set()

    def on(self, rule: Rule) -> None:
        made: ByNode = defaultdict(list)
        for clause in self._clauses(rule):
            made[clause.node].append(clause)
        self._on[rule.index] = made
        try:
            for node in made:
                self._install(node, rule.index)
        except NamespaceError:
            self._withdraw(rule.index)
            raise

    def off(self, rule: Rule) -> list[Count]:
        return [count for node, lines in self._on.pop(rule.index).items() for count in self._take(node, rule, lines)]

    def again(self, node: str) -> None:
        with suppress(NamespaceGone):
            there = self._counters(node)
            for index, made in self._on.items():
                if node in made and nft.counter_name(index, 0) not in there:
                    self._install(node, index)

    def close(self) -> None:
        for node in sorted(self._touched):
            with suppress(NamespaceGone):
                self._run(node, nft.remove_table())
        self._touched.clear()
        self._on.clear()

    def _clauses(self, rule: Rule) -> list[nft.Clause]:
        addresses = {node: place.address for node, place in self._places.items()}
        fault, flow = rule.fault, rule.flow
        if isinstance(fault, Split):
            return nft.split_clauses(separated(fault), self._links, addresses)
        assert flow is not None
        assert isinstance(fault, (Loss, Partition, Reject, Blackhole))
        peers = self._peers(flow) if isinstance(fault, Blackhole) else []
        return nft.clauses(fault, flow, addresses, peers)

    def _peers(self, flow: Flow) -> list[Peer]:
        place = self._places[flow.server]
        with suppress(NamespaceGone):
            return connections.peers(place.namespace.run(connections.COMMAND), place.address, flow.port)
        return []

    def _install(self, node: str, index: int) -> None:
        self._touched.add(node)
        with suppress(NamespaceGone):
            self._run(node, nft.install(index, self._on[index][node]))

    def _withdraw(self, index: int) -> None:
        """After a failure: what cannot be taken away was not there, or fails for the reason that is being told."""
        for node, lines in self._on.pop(index).items():
            with suppress(NamespaceError):
                self._run(node, nft.remove(index) + nft.forget(index, lines))

    def _take(self, node: str, rule: Rule, lines: list[nft.Clause]) -> Iterator[Count]:
        """The chain goes first, so that its counters are final when they are read."""
        with suppress(NamespaceGone):
            self._run(node, nft.remove(rule.index))
            counters = self._counters(node)
            self._run(node, nft.forget(rule.index, lines))
            for n, line in enumerate(lines):
                packets, size = counters[nft.counter_name(rule.index, n)]
                yield Count(line.link, line.direction, packets, size)

    def _counters(self, node: str) -> dict[str, nft.Counter]:
        return nft.counted(self._places[node].namespace.run(nft.LIST))

    def _run(self, node: str, text: str) -> None:
        self._places[node].namespace.run(nft.COMMAND, text)
