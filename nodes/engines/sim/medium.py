"""What carries segments and datagrams: their delay, and the sizes of the kernel's buffers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from nodes.engines.sim.timeline import Timeline


class Chance(Protocol):
    """A source of chance, such as `random.Random`."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...


@dataclass(frozen=True)
class Conditions:
    """`latency`: nanoseconds, lowest and highest; `split`: how often a send arrives in two pieces;
    `buffer`: bytes that one stream holds between a sender and the receiver's program; `segment`: bytes at once."""

    latency: tuple[int, int] = (20_000, 80_000)
    split: float = 0.125
    buffer: int = 256 * 1024
    segment: int = 64 * 1024


class Medium:
    """The network's one source of time and chance."""

    __slots__ = ("_chance", "_low", "_span", "_split", "buffer", "segment", "timeline")

    def __init__(self, timeline: Timeline, chance: Chance, conditions: Conditions) -> None:
        self.timeline = timeline
        self._chance = chance
        self._low, high = conditions.latency
        self._span = high - self._low
        self._split = conditions.split
        self.buffer = conditions.buffer
        self.segment = conditions.segment

    def arrival(self, after: int = 0) -> int:
        """When something sent now arrives, not before `after`: what went ahead of it on the same path."""
        time = self.timeline.now + self._low + int(self._chance.random() * self._span)
        return time if time > after else after  # called for every segment: max() takes three times as long

    def pieces(self, data: bytes) -> list[bytes]:
        """`data` as the segments that carry it."""
        if len(data) > self.segment:
            return [data[at : at + self.segment] for at in range(0, len(data), self.segment)]
        if len(data) > 1 and self._chance.random() < self._split:
            cut = 1 + int(self._chance.random() * (len(data) - 1))
            return [data[:cut], data[cut:]]
        return [data]
