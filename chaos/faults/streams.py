"""PURE: faults on byte streams, which Toxiproxy performs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chaos.faults.window import Window


@dataclass(frozen=True, kw_only=True)
class Toxic(Window):
    """What Toxiproxy does to the byte streams of a link. Upstream carries requests, downstream replies; `toxicity` is
    the share of connections that it does it to. Source: Toxiproxy 2.12, README, "Toxics"."""

    link: str
    stream: Literal["upstream", "downstream"] = "downstream"
    toxicity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Latency(Toxic):
    """Every piece of the stream comes `latency` later, give or take `jitter`."""

    latency: int
    jitter: int = 0


@dataclass(frozen=True, kw_only=True)
class Bandwidth(Toxic):
    """At most so many kilobytes a second."""

    bandwidth: int


@dataclass(frozen=True, kw_only=True)
class SlowClose(Toxic):
    """The connection's end is passed on so much later."""

    slow_close: int


@dataclass(frozen=True, kw_only=True)
class Timeout(Toxic):
    """Nothing passes, and the connection is closed after so long without a piece of the stream (0: never)."""

    timeout: int


@dataclass(frozen=True, kw_only=True)
class ResetPeer(Toxic):
    """The next piece of the stream is dropped, and the connection reset (RST) so long after it (0: at once); one that
    was open before the fault was on ends in order."""

    reset_peer: int


@dataclass(frozen=True, kw_only=True)
class Slicer(Toxic):
    """Pieces of the stream are halved, give or take `variation`, until none has more than `slicer` + `variation` bytes;
    they pass `gap` microseconds apart."""

    slicer: int
    variation: int = 0
    gap: int = 0


@dataclass(frozen=True, kw_only=True)
class LimitData(Toxic):
    """After so many bytes of the stream the connection is closed."""

    limit_data: int


@dataclass(frozen=True, kw_only=True)
class Down(Window):
    """The proxy listens no more and its connections are closed."""

    down: Literal[True]
    link: str
