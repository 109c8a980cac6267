"""PURE: what performs packet faults, as the plane sees it. netfilter drops and rejects, the traffic control shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from chaos.faults.fault import PacketFault
from chaos.identity import Direction
from chaos.planes.packet.namespace import Namespace


class Place(NamedTuple):
    """Where a node is now."""

    address: str
    namespace: Namespace


class Flow(NamedTuple):
    """The packets of one direct link: between two nodes, to and from the server's port."""

    link: str
    transport: str
    client: str
    server: str
    port: int


@dataclass(frozen=True)
class Rule:
    """A fault of the cell. `flow` is that of its link; None for a Split, which has none."""

    index: int
    fault: PacketFault
    flow: Flow | None


class Count(NamedTuple):
    """What the kernel had counted of one rule in one direction of a link."""

    link: str
    direction: Direction
    packets: int
    bytes: int


class Mechanism(Protocol):
    """Each method raises NamespaceError; but a node whose namespace is gone has no packets, and that is no error.

    The places of the nodes come with its making, as a mapping that the plane keeps up to date.
    """

    def check(self, rules: Sequence[Rule]) -> None:
        """Before the load: its tools run at every node of these rules, all of which are there, and the kernel can do
        what they ask for. Raises NamespaceGone too."""

    def on(self, rule: Rule) -> None:
        """The rule is off. Returning, the kernel has it; raising, nothing of it is left."""

    def off(self, rule: Rule) -> list[Count]:
        """Take away a rule that is on -> all that it counted since it was switched on."""

    def again(self, node: str) -> None:
        """The node is back, perhaps in another namespace: what is on and missing there is applied again."""

    def waiting(self) -> int:
        """How many packets it keeps back that will yet be sent on, also of rules that are off."""

    def close(self) -> None:
        """Take away all that is left, and nothing else."""
