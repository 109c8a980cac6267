"""Row 13: a TCP socket that was never connected."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, OUT, RDHUP
from nodes.probes.common.probe import Probe


def _ready(bench: Bench) -> None:
    ours = bench.sockets.stream()
    bench.watch(ours, IN | OUT | RDHUP)
    bench.told("never connected")
    bench.told("waited again")


PROBE = Probe(
    row="13",
    title="a TCP socket that was never connected",
    starred=True,
    readiness=_ready,
    not_of_rings="a ring has no state to be told of, only requests",
)
