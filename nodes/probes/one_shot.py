"""Row 20: what a one-shot registration hides once it was told, and how it comes back."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, RDHUP
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN | RDHUP)
    bench.send(theirs, 10, ours)
    bench.told("data came")
    bench.reset(theirs, ours)
    bench.told("then a reset")
    bench.again(ours)
    bench.told("asked anew")


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.poll(ours.fileno(), IN | RDHUP)
    bench.handed()
    bench.send(theirs, 10, ours)
    bench.completed("data came")
    bench.reset(theirs, ours)
    bench.completed("then a reset")
    bench.poll(ours.fileno(), IN | RDHUP)
    bench.completed("asked anew")


PROBE = Probe(row="20", title="told once, then a reset", starred=True, readiness=_ready, completion=_complete)
