"""Row 9: data, then a reset before it is read."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import IN, OUT, RDHUP
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN | OUT | RDHUP)
    bench.send(theirs, 1000, ours)
    bench.reset(theirs, ours)
    bench.told("data, then a reset")
    bench.received("received", ours, 4096)
    bench.received("received again", ours, 4096)
    bench.received("and again", ours, 4096)


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.receive(ours.fileno(), 4096)
    bench.handed()
    bench.send(theirs, 1000, ours)
    bench.reset(theirs, ours)
    for step in ("data, then a reset", "asked again", "and again"):
        bench.completed(step)
        bench.receive(ours.fileno(), 4096)


def _block(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    bench.send(theirs, 1000, ours)
    bench.reset(theirs, ours)
    for step in ("data, then a reset", "asked again", "and again"):
        bench.gives(step, lambda: ours.recv(4096))


PROBE = Probe(
    row="9", title="data, then a reset", starred=True, readiness=_ready, completion=_complete, blocking=_block
)
