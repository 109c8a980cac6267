"""Row 32: a receive is cancelled, and the data that comes then is not lost."""

from __future__ import annotations

from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    token = bench.receive(ours.fileno(), 100)
    bench.handed()
    bench.cancel(token)
    bench.completed("cancelled")
    bench.send(theirs, 10, ours)
    bench.completed("then data came")
    bench.received("received", ours, 100)


PROBE = Probe(row="32", title="a receive is cancelled, then data comes", starred=False, completion=_complete)
