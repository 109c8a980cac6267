"""Row 21: a descriptor is registered twice."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, OUT
from nodes.probes.common.probe import Probe


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    bench.watch(ours, IN)
    bench.tried("registered again, for OUT", lambda: bench.watch(ours, OUT), "accepted")
    bench.told("what is told")


PROBE = Probe(
    row="21", title="a descriptor is registered twice", readiness=_ready, not_of_rings="each request is one of its own"
)
