"""Row 31: a receive of no bytes, before and after there is data."""

from __future__ import annotations

from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import POLL_FIRST, RingBench


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.receive(ours.fileno(), 0)
    bench.completed("no data, tried first")
    bench.receive(ours.fileno(), 0, hint=POLL_FIRST)
    bench.completed("no data, waiting first")
    bench.send(theirs, 10, ours)
    bench.completed("data came")
    bench.receive(ours.fileno(), 100)
    bench.completed("then a receive of 100")


PROBE = Probe(row="31", title="a receive of no bytes", starred=True, completion=_complete)
