"""Row 18: another thread closes a descriptor that a wait is for."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, RDHUP
from nodes.probes.common.meanwhile import meanwhile
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench

_WAIT_NS = 150_000_000


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    bench.watch(ours, IN | RDHUP)
    with meanwhile(bench, "another thread closes it", ours.close):
        bench.told_and_when("closed during the wait", _WAIT_NS)


def _complete(bench: RingBench) -> None:
    ours, _ = bench.pair()
    bench.receive(ours.fileno(), 100)
    bench.handed()
    with meanwhile(bench, "another thread closes it", ours.close):
        bench.completed_and_when("closed during the wait", _WAIT_NS)


PROBE = Probe(row="18", title="another thread closes it during the wait", readiness=_ready, completion=_complete)
