"""Faults that drop or reject packets, by nftables in the namespace where they arrive."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from chaos.faults.packets import Blackhole, Loss, Reject, Split
from chaos.faults.paths import Partition
from chaos.planes.packet import connections, nft
from chaos.planes.packet.connections import Peer
from chaos.planes.packet.mechanism import Count, Flow, Place, Rule
from chaos.planes.packet.namespace import NamespaceError, NamespaceGone

T = TypeVar("T")
AT_ONCE = 8

ByNode = dict[str, list[nft.Clause]]


class Netfilter:
    """A Mechanism. What it keeps of a rule that is on are its clauses, by the node where they are."""

    KINDS = (Loss, Partition, Split, Reject, Blackhole)

    def __init__(self, places: Mapping[str, Place], links: Iterable[Flow]) -> None:
        self._places = places
        self._links = list(links)
        self._on: dict[int, ByNode] = {}
        self._touched: set[str] = set()

    def check(self, rules: Sequence[Rule]) -> None:
        nodes = {node for rule in rules for node in self._made(rule)}
        nodes |= {rule.flow.server for rule in rules if rule.flow}  # a black hole is made of nothing yet
        _at_each(nodes, self._counters)

    def on(self, rule: Rule) -> None:
        made = self._on[rule.index] = self._made(rule)
        self._touched |= made.keys()
        try:
            _at_each(made, lambda node: self._install(node, rule.index))
        except NamespaceError:
            self._withdraw(rule.index)
            raise

    def off(self, rule: Rule) -> list[Count]:
        made = self._on.pop(rule.index)
        return [count for counts in _at_each(made, lambda node: self._take(node, rule, made[node])) for count in counts]

    def again(self, node: str) -> None:
        with suppress(NamespaceGone):
            there = self._counters(node)
            for index, made in self._on.items():
                if node in made and nft.counter_name(index, 0) not in there:
                    self._install(node, index)

    def waiting(self) -> int:
        return 0  # what is dropped is gone

    def close(self) -> None:
        touched, self._touched = self._touched, set()
        self._on.clear()
        _at_each(touched, self._remove_table)

    def _made(self, rule: Rule) -> ByNode:
        made: ByNode = {}
        for clause in self._clauses(rule):
            made.setdefault(clause.node, []).append(clause)
        return made

    def _clauses(self, rule: Rule) -> list[nft.Clause]:
        addresses = {node: place.address for node, place in self._places.items()}
        fault, flow = rule.fault, rule.flow
        if isinstance(fault, Split):
            return nft.split_clauses(fault.apart, self._links, addresses)
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
        with suppress(NamespaceGone):
            self._run(node, nft.install(index, self._on[index][node]))

    def _withdraw(self, index: int) -> None:
        """After a failure: what cannot be taken away was not there, or fails for the reason that is being told."""
        for node, lines in self._on.pop(index).items():
            with suppress(NamespaceError):
                self._run(node, nft.remove(index) + nft.forget(index, lines))

    def _take(self, node: str, rule: Rule, lines: list[nft.Clause]) -> list[Count]:
        """The chain goes first, so that its counters are final when they are read."""
        with suppress(NamespaceGone):
            listing = self._places[node].namespace.run(nft.take(rule.index), nft.forget(rule.index, lines))
            counters = nft.counted(listing)
            names = [nft.counter_name(rule.index, n) for n in range(len(lines))]
            return [Count(line.link, line.direction, *counters[name]) for name, line in zip(names, lines, strict=True)]
        return []

    def _remove_table(self, node: str) -> None:
        with suppress(NamespaceGone):
            self._run(node, nft.remove_table())

    def _counters(self, node: str) -> dict[str, nft.Counter]:
        return nft.counted(self._places[node].namespace.run(nft.LIST))

    def _run(self, node: str, text: str) -> None:
        self._places[node].namespace.run(nft.COMMAND, text)


def _at_each(nodes: Collection[str], act: Callable[[str], T]) -> list[T]:
    """At some nodes at once, so that a partition of many begins and ends nearly everywhere together.

    Raises what the first of them raised, after all have ended.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(act, sorted(nodes)))
