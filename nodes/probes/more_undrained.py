"""Row 2: one more byte beside what a read has left."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN)
    bench.send(theirs, 2000, ours)
    bench.told("2000 bytes came")
    bench.read(ours, 1000)
    bench.send(theirs, 1, ours)
    bench.told("1000 read, one more came")
    bench.again(ours)
    bench.told("asked anew")


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.poll(ours.fileno(), IN, multishot=True)
    bench.handed()
    bench.send(theirs, 2000, ours)
    bench.completed("2000 bytes came")
    bench.read(ours, 1000)
    bench.send(theirs, 1, ours)
    bench.completed("1000 read, one more came")


PROBE = Probe(row="2", title="one more byte beside data that a read has left", readiness=_ready, completion=_complete)
