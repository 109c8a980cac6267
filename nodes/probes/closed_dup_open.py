"""Row 16: a descriptor that is watched is closed, while a duplicate of it stays open."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, RDHUP
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    number = ours.fileno()
    bench.watch(ours, IN | RDHUP)
    bench.told("open")
    kept = bench.sockets.kept(ours.dup())
    bench.note("it is closed, its duplicate is not")
    ours.close()
    bench.send(theirs, 10, kept)
    bench.told("closed, then data came")
    bench.tried("unregistered", lambda: bench.poller.unregister(number))


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.receive(ours.fileno(), 100)
    bench.handed()
    kept = bench.sockets.kept(ours.dup())
    bench.note("it is closed, its duplicate is not")
    ours.close()
    bench.completed("closed")
    bench.send(theirs, 10, kept)
    bench.completed("then data came")


PROBE = Probe(
    row="16", title="the same while a duplicate is open", starred=True, readiness=_ready, completion=_complete
)
