"""Row 33: which of two receives gets what comes first."""

from __future__ import annotations

from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    for name in ("first receive", "second receive"):
        bench.receive(ours.fileno(), 100, name)
        bench.handed()
    bench.send(theirs, 10, ours)
    bench.completed("ten bytes came")
    bench.send(theirs, 20, ours)
    bench.completed("twenty more came")


PROBE = Probe(row="33", title="two receives wait, and one message comes", starred=True, completion=_complete)
