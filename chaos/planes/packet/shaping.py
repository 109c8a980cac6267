"""Faults that delay or disturb packets, by traffic control in the namespace where they are sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from chaos.faults.packets import Netem
from chaos.faults.paths import Rate
from chaos.identity import Direction
from chaos.planes.packet import tc
from chaos.planes.packet.mechanism import Count, Place, Rule
from chaos.planes.packet.namespace import NamespaceError, NamespaceGone

_TAKEN = "another root qdisc is at the device, and stays: remove it if nobody needs it (tc qdisc delete)"
REMEDIES = {
    "qdisc kind is unknown": "the kernel has no such discipline: modprobe its module, or use a host that has it",
    "NLM_F_REPLACE": _TAKEN,
    "Exclusivity flag": _TAKEN,
}
"""What the kernel says, and what can be done."""


class Part(NamedTuple):
    """One direction of a rule."""

    rule: Rule
    direction: Direction
    sender: str
    receiver: str


class Shaping:
    """A Mechanism. Of two rules that are on and about the same packets the first one gets them.

    What is in the kernel is asked there each time, so nothing of it is kept here but where our roots are.
    """

    KINDS = (Netem, Rate)

    def __init__(self, places: Mapping[str, Place], seed: int) -> None:
        self._places = places
        self._seed = seed
        self._on: dict[int, Rule] = {}
        self._roots: set[tuple[str, str]] = set()
        self._seeds: dict[str, bool] = {}

    def check(self, rules: Sequence[Rule]) -> None:
        for node in sorted({part.sender for rule in rules for part in _parts(rule)}):
            self._places[node].namespace.run(tc.VERSION)
        for rule in rules:  # kernels differ in what they can shape
            self.on(rule)
            self.off(rule)

    def on(self, rule: Rule) -> None:
        self._on[rule.index] = rule
        try:
            for part in _parts(rule):
                with suppress(NamespaceGone):
                    self._install(part, self._device(part))
        except NamespaceError:
            del self._on[rule.index]
            self._withdraw(rule)
            raise

    def off(self, rule: Rule) -> list[Count]:
        del self._on[rule.index]
        return [count for part in _parts(rule) for count in self._take(part)]

    def again(self, node: str) -> None:
        for rule in self._on.values():
            for part in _parts(rule):
                if part.sender == node:
                    with suppress(NamespaceGone):
                        self._install_missing(part)

    def waiting(self) -> int:
        found = 0
        for node, device in sorted(self._roots):
            with suppress(NamespaceGone):
                found += sum(leaf.waiting for leaf in tc.leaves(self._show(node, device)).values())
        return found

    def close(self) -> None:
        roots, self._roots = sorted(self._roots), set()
        self._on.clear()
        for node, device in roots:
            with suppress(NamespaceGone):
                if tc.has_root(self._show(node, device)):
                    self._batch(node, tc.remove_root(device))

    def _install_missing(self, part: Part) -> None:
        device = self._device(part)
        if part.rule.index not in tc.leaves(self._show(part.sender, device.name)):
            self._install(part, device)

    def _install(self, part: Part, device: tc.Device) -> None:
        """Classes of rules that are off go now if they are empty; the rule's own goes in any case."""
        rule, name = part.rule, device.name
        assert rule.flow is not None
        assert isinstance(rule.fault, (Netem, Rate))
        there = self._show(part.sender, name)
        text = "" if tc.has_root(there) else tc.root(name)
        for index, leaf in tc.leaves(there).items():
            if index == rule.index or (index not in self._on and not leaf.waiting):
                text += tc.remove(index, name)
        match = tc.match(rule.flow, part.direction, self._places[part.receiver].address)
        self._roots.add((part.sender, name))
        self._batch(part.sender, text + tc.install(rule.index, device, rule.fault, match, self._seed_for(part)))

    def _withdraw(self, rule: Rule) -> None:
        """After a failure: what cannot be taken away was not there, or fails for the reason that is being told."""
        for part in _parts(rule):
            for undo in (tc.withdraw, tc.remove):
                with suppress(NamespaceError):
                    self._batch(part.sender, undo(rule.index, self._device(part).name))

    def _take(self, part: Part) -> Iterator[Count]:
        """The filter goes first, so that everything which the rule got is counted; what waits will yet be sent on."""
        index, flow = part.rule.index, part.rule.flow
        assert flow is not None
        with suppress(NamespaceGone):
            name = self._device(part).name
            if index not in tc.leaves(self._show(part.sender, name)):
                return  # the namespace is another one than that which had it
            self._batch(part.sender, tc.withdraw(index, name))
            leaf = tc.leaves(self._show(part.sender, name))[index]
            if not leaf.waiting:
                self._batch(part.sender, tc.remove(index, name))
            yield Count(flow.link, part.direction, leaf.packets + leaf.lost + leaf.waiting, leaf.bytes)

    def _device(self, part: Part) -> tc.Device:
        namespace = self._places[part.sender].namespace
        name = tc.device_name(namespace.run(tc.route(self._places[part.receiver].address)))
        return tc.device(namespace.run(tc.link(name)))

    def _seed_for(self, part: Part) -> int | None:
        """A class is made anew whenever its rule is switched on, so the seed holds from each beginning."""
        if not isinstance(part.rule.fault, Netem):
            return None
        if part.sender not in self._seeds:
            run = self._places[part.sender].namespace.run
            self._seeds[part.sender] = tc.takes_seed(run(tc.VERSION), run(tc.RELEASE))
        return tc.seed_of(self._seed, part.rule.index, part.direction) if self._seeds[part.sender] else None

    def _show(self, node: str, device: str) -> str:
        return self._places[node].namespace.run(tc.show(device))

    def _batch(self, node: str, text: str) -> None:
        try:
            self._places[node].namespace.run(tc.BATCH, text)
        except NamespaceGone:
            raise
        except NamespaceError as error:
            remedies = [f"; {remedy}" for said, remedy in REMEDIES.items() if said in str(error)]
            raise NamespaceError(f"{error} ({tc.failed_line(str(error), text)}){''.join(remedies)}") from error


def _parts(rule: Rule) -> Iterator[Part]:
    assert rule.flow is not None
    assert isinstance(rule.fault, (Netem, Rate))
    client, server = rule.flow.client, rule.flow.server
    for direction in tc.directions(rule.fault):
        sender, receiver = (client, server) if direction == "request" else (server, client)
        yield Part(rule, direction, sender, receiver)
