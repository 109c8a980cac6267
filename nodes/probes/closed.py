"""Row 15: a descriptor that is watched is closed."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, RDHUP
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    number = ours.fileno()
    bench.watch(ours, IN | RDHUP)
    bench.told("open")
    bench.note("it is closed")
    ours.close()
    bench.told("closed")
    bench.tried("unregistered", lambda: bench.poller.unregister(number))


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.receive(ours.fileno(), 100)
    bench.handed()
    bench.note("it is closed")
    ours.close()
    bench.completed("closed")
    bench.deliver(theirs, 10)
    bench.completed("then data came")


PROBE = Probe(
    row="15", title="a descriptor that is watched is closed", starred=True, readiness=_ready, completion=_complete
)
