"""Row 3: how many events fifty arrivals make that nobody reads. To tell several as one is legal."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import PATIENCE_NS, Probe
from nodes.probes.common.ring_bench import RingBench

SLICES = 50
_AFTER_EACH = {0: "silent", SLICES: "an event after each"}
_WAITS = 60
"""More than there are arrivals: who tells something at each of them tells the same again."""


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN)
    for _ in range(SLICES):
        bench.send(theirs, 1, ours)
    told = 0
    while told < _WAITS and bench.wait():
        told += 1
    bench.saw("50 slices, then waits until silence", classed(told))
    each = 0
    for _ in range(SLICES):
        bench.send(theirs, 1, ours)
        each += bool(bench.wait(0))
    bench.saw("a wait after each of 50 slices", _AFTER_EACH.get(each, "some are missing"))


def classed(events: int) -> str:
    if events == 0:
        return "silent"
    return "1 to 50 events" if events <= SLICES else "an event at every wait"


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.poll(ours.fileno(), IN, multishot=True)
    bench.handed()
    for _ in range(SLICES):
        bench.send(theirs, 1, ours)
    told = 0
    while told < _WAITS and (more := bench.waited(PATIENCE_NS)):
        told += len(more)
    bench.saw("50 slices, then waits until silence", classed(told))
    each = 0
    for _ in range(SLICES):
        bench.send(theirs, 1, ours)
        each += bool(bench.waited(0))
    bench.saw("a wait after each of 50 slices", _AFTER_EACH.get(each, "some are missing"))


PROBE = Probe(row="3", title="fifty slices that nobody reads", readiness=_ready, completion=_complete)
