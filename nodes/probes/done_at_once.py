"""Row 34: a request that can be done at once has its completion all the same."""

from __future__ import annotations

from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.send(theirs, 10, ours)
    bench.receive(ours.fileno(), 100)
    bench.completed("data was there")


PROBE = Probe(row="34", title="a receive that can be done at once", starred=False, completion=_complete)
