"""PURE: faults on a whole path; what they do depends on what their link goes through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from chaos.faults.fault import PacketFault, RelayFault
from chaos.faults.messages import Drop
from chaos.faults.models import PARTITIONED, Brings, Model, alike
from chaos.faults.window import Directions, each
from chaos.identity import Direction, Key
from chaos.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Partition(RelayFault, PacketFault):
    """Nothing passes in that direction, hello included: no message of a relay, no packet of a direct link."""

    partition: Directions
    link: str

    verb: ClassVar[str] = "partition"
    brings: ClassVar[Brings] = alike("loss")

    @property
    def act(self) -> str:
        """It drops messages."""
        return Drop.verb

    @property
    def directions(self) -> tuple[Direction, ...]:
        return each(self.partition)

    @property
    def keeps_open(self) -> bool:
        return True

    def at_one(self, key: Key, clients: tuple[int, ...] | None, kept: int) -> Drop:
        return Drop(drop=key.direction, link=self.link, operations=(key.seq,), clients=clients, attempt=key.attempt)

    def models(self, *, datagrams: bool, packets: bool) -> tuple[Model, ...]:
        brings = PARTITIONED if packets else self.brings
        return brings.datagrams if datagrams else brings.streams


@dataclass(frozen=True, kw_only=True)
class Rate(RelayFault, PacketFault):
    """Messages (of a direct link, packets: tbf) pass one after another at this many bytes a second."""

    rate: Directions
    link: str
    bytes_per_second: int

    verb: ClassVar[str] = "rate"
    brings: ClassVar[Brings] = alike("delay")
    keeps: ClassVar[bool] = True
    punctual: ClassVar[bool] = True
    discipline: ClassVar[Literal["", "netem", "tbf"]] = "tbf"

    @property
    def directions(self) -> tuple[Direction, ...]:
        return each(self.rate)

    def problems(self) -> Iterator[Problem]:
        if self.bytes_per_second < 1:
            yield Problem(("bytes_per_second",), "expected at least 1 byte a second")
