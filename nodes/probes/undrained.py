"""Row 1: what a read has left is told again by a level, and by nothing else."""

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
    bench.told("1000 of them read")
    bench.again(ours)
    bench.told("asked anew")


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.poll(ours.fileno(), IN, multishot=True)
    bench.handed()
    bench.send(theirs, 2000, ours)
    bench.completed("2000 bytes came")
    bench.read(ours, 1000)
    bench.completed("1000 of them read")
    bench.receive(ours.fileno(), 4096)
    bench.completed("a receive asked for")


PROBE = Probe(
    row="1", title="data that a read has left is told again", starred=True, readiness=_ready, completion=_complete
)
