"""PURE: faults on byte streams, which Toxiproxy performs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from chaos.faults.fault import ToxicFault
from chaos.faults.models import Brings, of_streams
from chaos.faults.surroundings import ForeignLink
from chaos.faults.window import Milliseconds
from chaos.identity import Direction
from chaos.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Toxic(ToxicFault):
    """What Toxiproxy does to the byte streams of a link. Upstream carries requests, downstream replies; `toxicity` is
    the share of connections that it does it to. Source: Toxiproxy 2.12, README, "Toxics"."""

    link: str
    stream: Literal["upstream", "downstream"] = "downstream"
    toxicity: float = 1.0

    least: ClassVar[Mapping[str, int]] = MappingProxyType({})
    """The least value of each number. Toxiproxy spins for ever on a rate or a slice of nothing, and what asks for no
    time leaves no trace in anybody's journal."""
    ends: ClassVar[bool] = False
    """Whether no message passes, or its connection is closed."""
    told: ClassVar[bool] = True
    """Whether the callers of a system that is not ours can tell it from their own slowness."""

    @property
    def title(self) -> str:
        return f"{self.verb} {self.stream}"

    @property
    def directions(self) -> tuple[Direction, ...]:
        return ("request",) if self.stream == "upstream" else ("reply",)

    @property
    def by_chance(self) -> bool:
        return self.toxicity < 1

    @property
    def keeps_open(self) -> bool:
        return self.ends and self.toxicity == 1

    def problems(self) -> Iterator[Problem]:
        for key, least in self.least.items():
            if getattr(self, key) < least:
                yield Problem((key,), f"expected at least {least}")
        if not 0 < self.toxicity <= 1:
            yield Problem(("toxicity",), "a share of the connections; expected more than 0 and at most 1")

    def problems_in_system(self, link: ForeignLink | None) -> Iterator[Problem]:
        if not self.told:
            message = f"what {self.verb} does to a system's calls looks like their own slowness; expected another toxic"
            yield Problem((self.verb,), message)


@dataclass(frozen=True, kw_only=True)
class Latency(Toxic):
    """Every piece of the stream comes `latency` later, give or take `jitter`."""

    latency: Milliseconds
    jitter: Milliseconds = 0

    verb: ClassVar[str] = "latency"
    brings: ClassVar[Brings] = of_streams("delay")
    least: ClassVar[Mapping[str, int]] = MappingProxyType({"latency": 1, "jitter": 0})


@dataclass(frozen=True, kw_only=True)
class Bandwidth(Toxic):
    """At most so many kilobytes a second."""

    bandwidth: int

    verb: ClassVar[str] = "bandwidth"
    brings: ClassVar[Brings] = of_streams("delay")
    least: ClassVar[Mapping[str, int]] = MappingProxyType({"bandwidth": 1})
    told: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class SlowClose(Toxic):
    """The connection's end is passed on so much later."""

    slow_close: Milliseconds

    verb: ClassVar[str] = "slow_close"
    brings: ClassVar[Brings] = of_streams("delay")
    least: ClassVar[Mapping[str, int]] = MappingProxyType({"slow_close": 1})
    told: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Timeout(Toxic):
    """Nothing passes, and the connection is closed after so long without a piece of the stream (0: never)."""

    timeout: Milliseconds

    verb: ClassVar[str] = "timeout"
    brings: ClassVar[Brings] = of_streams("loss")
    least: ClassVar[Mapping[str, int]] = MappingProxyType({"timeout": 0})
    ends: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class ResetPeer(Toxic):
    """The next piece of the stream is dropped, and the connection reset (RST) so long after it (0: at once); one that
    was open before the fault was on ends in order."""

    reset_peer: Milliseconds

    verb: ClassVar[str] = "reset_peer"
    brings: ClassVar[Brings] = of_streams("connection-cut")
    least: ClassVar[Mapping[str, int]] = MappingProxyType({"reset_peer": 0})
    ends: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Slicer(Toxic):
    """Pieces of the stream are halved, give or take `variation`, until none has more than `slicer` + `variation` bytes;
    they pass `gap` microseconds apart."""

    slicer: int
    variation: int = 0
    gap: int = 0

    verb: ClassVar[str] = "slicer"
    brings: ClassVar[Brings] = of_streams("delay")
    least: ClassVar[Mapping[str, int]] = MappingProxyType({"slicer": 1, "variation": 0, "gap": 1})
    told: ClassVar[bool] = False

    def problems(self) -> Iterator[Problem]:
        yield from super().problems()
        if self.variation >= self.slicer:
            yield Problem(("variation",), f"expected less than the {self.slicer} bytes of a slice")


@dataclass(frozen=True, kw_only=True)
class LimitData(Toxic):
    """After so many bytes of the stream the connection is closed."""

    limit_data: int

    verb: ClassVar[str] = "limit_data"
    brings: ClassVar[Brings] = of_streams("connection-cut")
    least: ClassVar[Mapping[str, int]] = MappingProxyType({"limit_data": 0})


@dataclass(frozen=True, kw_only=True)
class Down(ToxicFault):
    """The proxy listens no more and its connections are closed."""

    down: Literal[True]
    link: str

    verb: ClassVar[str] = "down"
    brings: ClassVar[Brings] = of_streams("connection-cut")

    @property
    def title(self) -> str:
        return self.verb

    @property
    def keeps_open(self) -> bool:
        return True
