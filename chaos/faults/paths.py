"""PURE: faults on a whole path; what they do depends on what their link goes through."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.faults.window import Directions, Window


@dataclass(frozen=True, kw_only=True)
class Partition(Window):
    """Nothing passes in that direction, hello included: no message of a relay, no packet of a direct link."""

    partition: Directions
    link: str


@dataclass(frozen=True, kw_only=True)
class Rate(Window):
    """Messages (of a direct link, packets: tbf) pass one after another at this many bytes a second."""

    rate: Directions
    link: str
    bytes_per_second: int
