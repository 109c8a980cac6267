"""PURE: faults on packets, which the kernel performs in the nodes' network namespaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from chaos.faults.fault import PacketFault
from chaos.faults.models import PARTITIONED, Brings, Model, of_streams
from chaos.faults.surroundings import Surroundings
from chaos.faults.window import Directions, OptionalMilliseconds, each
from chaos.groups import Group, Pair, groups_of, separated
from chaos.identity import Direction
from chaos.problem import Problem, names
from nodes.wire.transports import TRANSPORTS

SHARES = ("loss", "duplicate", "reorder", "corrupt")
CORRELATIONS = {"delay_correlation": "jitter", "loss_correlation": "loss"}
OF_SHAPE: Mapping[str, tuple[Model, ...]] = MappingProxyType(
    {
        "loss": ("loss",),
        "corrupt": ("loss",),
        "duplicate": ("duplication",),
        "reorder": ("delay", "reordering"),
        "delay": ("delay", "reordering"),
        "bytes_per_second": ("delay",),
    }
)
"""What netem does to a datagram, and the failure models of that: the kernel drops what it altered."""
NEEDS = {"jitter": "delay", "distribution": "jitter", "reorder": "delay", **CORRELATIONS}
"""A value of netem's and what it is a property of (tc-netem(8))."""


@dataclass(frozen=True, kw_only=True)
class Loss(PacketFault):
    """Packets of a direct link are lost: each with `probability` (the kernel's chance, which takes no seed), or every
    `every`-th one of a direction."""

    loss: Directions
    link: str
    probability: float | None = None
    every: int | None = None

    verb: ClassVar[str] = "loss"
    brings: ClassVar[Brings] = Brings(("loss",), ("delay",))

    @property
    def directions(self) -> tuple[Direction, ...]:
        return each(self.loss)

    @property
    def by_chance(self) -> bool:
        return True

    @property
    def keeps_open(self) -> bool:
        return self.probability == 1 or self.every == 1

    def problems(self) -> Iterator[Problem]:
        if (self.probability is None) == (self.every is None):
            yield Problem(("loss",), "which packets? expected either probability or every")
        if self.probability is not None and not 0 < self.probability <= 1:
            yield Problem(("probability",), "expected more than 0 and at most 1")
        if self.every is not None and self.every < 1:
            yield Problem(("every",), "expected 1 or more")


@dataclass(frozen=True, kw_only=True)
class Split(PacketFault):
    """Nodes with direct links cannot reach one another across groups.

    `groups`: those given, or one of the shapes that chaos/groups.py makes of `nodes` in their order.
    """

    split: Literal["groups", "majority", "ring", "bridge", "isolate"]
    groups: tuple[tuple[str, ...], ...] = ()
    nodes: tuple[str, ...] = ()

    verb: ClassVar[str] = "split"
    brings: ClassVar[Brings] = PARTITIONED

    @property
    def title(self) -> str:
        return f"{self.verb} {self.split}"

    @property
    def keeps_open(self) -> bool:
        return True

    @property
    def members(self) -> tuple[str, ...]:
        """Every node that it names."""
        return tuple(dict.fromkeys([*self.nodes, *(name for group in self.groups for name in group)]))

    @property
    def apart(self) -> frozenset[Pair]:
        return separated(self._made())

    def _made(self) -> tuple[Group, ...]:
        return groups_of(self.split, self.nodes, self.groups)

    def problems(self) -> Iterator[Problem]:
        if self.split == "groups" and self.nodes:
            yield Problem(("nodes",), "split: groups takes groups; nodes belong to the other shapes")
        if self.split != "groups" and self.groups:
            message = f"split: {self.split} makes its groups of nodes; groups belong to split: groups"
            yield Problem(("groups",), message)
        try:
            self._made()
        except ValueError as error:
            yield Problem((self._key,), str(error))

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        """Groups of nodes that have direct links and no others, and two that call one another in none together."""
        path = (self._key,)
        try:
            apart = self.apart
        except ValueError:
            return  # told by `problems`
        for name in self.members:
            if name not in cell.servers and name not in cell.clients:
                yield Problem(path, f"no node {name!r}; expected some of {names([*cell.servers, *cell.clients])}")
            for link in cell.links:
                if name in (link.source, link.target) and link.via != "direct":
                    yield Problem(path, f"{link.name} has via: {link.via}; a split separates links with via: direct")
        if not any((link.source, link.target) in apart for link in cell.links):
            yield Problem(path, "no client is separated from its server; expected one whose calls it stops")

    @property
    def _key(self) -> str:
        return "groups" if self.split == "groups" else "nodes"


@dataclass(frozen=True, kw_only=True)
class Reject(PacketFault):
    """Requests of a direct link are answered by the kernel: with a TCP reset, or with ICMP port unreachable. Of TCP's
    segments these are the ones that open a connection or carry data."""

    reject: Literal["rst", "icmp"]
    link: str

    verb: ClassVar[str] = "reject"
    brings: ClassVar[Brings] = Brings(("loss",), ("connection-cut",))

    @property
    def title(self) -> str:
        return f"{self.verb} {self.reject}"

    @property
    def directions(self) -> tuple[Direction, ...]:
        return ("request",)

    @property
    def keeps_open(self) -> bool:
        return True

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        if self.reject == "rst":
            yield from _connections(self, cell, "expected transport: tcp, or reject: icmp")


@dataclass(frozen=True, kw_only=True)
class Blackhole(PacketFault):
    """No packet of one TCP connection passes any more, either way: of those that are open, the n-th (from 1) by its
    client's address and port, which are all that the kernel tells of their order."""

    blackhole: int
    link: str

    verb: ClassVar[str] = "blackhole"
    brings: ClassVar[Brings] = of_streams("delay", "connection-cut")

    @property
    def title(self) -> str:
        return self.verb

    @property
    def keeps_open(self) -> bool:
        return True

    def problems(self) -> Iterator[Problem]:
        if self.blackhole < 1:
            yield Problem(("blackhole",), "open connections count from 1")

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        yield from _connections(self, cell, "expected transport: tcp")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What netem does to packets (tc-netem(8)). Shares are between 0 and 1; None leaves that out."""

    delay: OptionalMilliseconds = None
    jitter: OptionalMilliseconds = None
    distribution: Literal["uniform", "normal", "pareto", "paretonormal"] | None = None
    delay_correlation: float | None = None
    loss: float | None = None
    loss_correlation: float | None = None
    duplicate: float | None = None
    reorder: float | None = None
    corrupt: float | None = None
    bytes_per_second: int | None = None

    def problems(self) -> Iterator[Problem]:
        if self == Shape():
            message = "asks for nothing; expected delay, loss, duplicate, reorder, corrupt or bytes_per_second"
            yield Problem((), message)
        for key in (*SHARES, *CORRELATIONS):
            share = getattr(self, key)
            if share is not None and not 0 < share <= 1:
                yield Problem((key,), "a share; expected more than 0 and at most 1")
        for key in ("delay", "jitter", "bytes_per_second"):
            if getattr(self, key) is not None and getattr(self, key) < 1:
                yield Problem((key,), "expected at least 1")
        for key, needed in NEEDS.items():
            if getattr(self, key) is not None and getattr(self, needed) is None:
                yield Problem((key,), f"it is a property of {needed}; expected {needed} beside it")


@dataclass(frozen=True, kw_only=True)
class Netem(PacketFault):
    """Packets of a direct link meet netem where they are sent, with a seed of the run's."""

    netem: Shape
    link: str
    of: Directions = "both"

    verb: ClassVar[str] = "netem"
    brings: ClassVar[Brings] = of_streams("delay")
    discipline: ClassVar[Literal["", "netem", "tbf"]] = "netem"

    @property
    def directions(self) -> tuple[Direction, ...]:
        return each(self.of)

    def models(self, *, datagrams: bool, packets: bool) -> tuple[Model, ...]:
        """The kernel repairs whatever it is to a stream; a segment's second copy it takes away."""
        if not datagrams:
            return () if self.netem == Shape(duplicate=self.netem.duplicate) else self.brings.streams
        said = (models for key, models in OF_SHAPE.items() if getattr(self.netem, key) is not None)
        return tuple(dict.fromkeys(model for models in said for model in models))

    @property
    def by_chance(self) -> bool:
        return self.netem.delay is None and self.netem.bytes_per_second is None

    @property
    def keeps_open(self) -> bool:
        return self.netem.loss == 1

    def problems(self) -> Iterator[Problem]:
        for problem in self.netem.problems():
            yield Problem(("netem", *problem.path), problem.message)


def _connections(fault: Reject | Blackhole, cell: Surroundings, expected: str) -> Iterator[Problem]:
    if (way := fault.way(cell)) is not None and not TRANSPORTS[way.transport].connected:
        yield Problem((fault.verb,), f"{way.name} is {way.transport}, which has no connections; {expected}")
