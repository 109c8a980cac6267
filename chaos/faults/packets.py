"""PURE: faults on packets, which the kernel performs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chaos.faults.window import Directions, Window


@dataclass(frozen=True, kw_only=True)
class Loss(Window):
    """Packets of a direct link are lost: each with `probability` (the kernel's chance, which takes no seed), or every
    `every`-th one of a direction."""

    loss: Directions
    link: str
    probability: float | None = None
    every: int | None = None


@dataclass(frozen=True, kw_only=True)
class Split(Window):
    """Nodes with direct links cannot reach one another across groups.

    `groups`: those given, or one of the shapes that chaos/groups.py makes of `nodes` in their order.
    """

    split: Literal["groups", "majority", "ring", "bridge", "isolate"]
    groups: tuple[tuple[str, ...], ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reject(Window):
    """Requests of a direct link are answered by the kernel: with a TCP reset, or with ICMP port unreachable. Of TCP's
    segments these are the ones that open a connection or carry data."""

    reject: Literal["rst", "icmp"]
    link: str


@dataclass(frozen=True, kw_only=True)
class Blackhole(Window):
    """No packet of one TCP connection passes any more, either way: of those that are open, the n-th (from 1) by its
    client's address and port, which are all that the kernel tells of their order."""

    blackhole: int
    link: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What netem does to packets (tc-netem(8)). Shares are between 0 and 1; None leaves that out."""

    delay: int | None = None
    jitter: int | None = None
    distribution: Literal["uniform", "normal", "pareto", "paretonormal"] | None = None
    delay_correlation: float | None = None
    loss: float | None = None
    loss_correlation: float | None = None
    duplicate: float | None = None
    reorder: float | None = None
    corrupt: float | None = None
    bytes_per_second: int | None = None


@dataclass(frozen=True, kw_only=True)
class Netem(Window):
    """Packets of a direct link meet netem where they are sent, with a seed of the run's."""

    netem: Shape
    link: str
    of: Directions = "both"
