"""Row 19: another thread adds a descriptor that is ready to what a wait is for."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.meanwhile import meanwhile
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench

_WAIT_NS = 150_000_000
_OTHERS = "its loop belongs to one thread: add_reader from another is not allowed (asyncio-dev, Concurrency)"


def _ready(bench: Bench) -> None:
    quiet, _ = bench.pair()
    ready, theirs = bench.pair()
    bench.send(theirs, 10, ready)
    bench.watch(quiet, IN)
    with meanwhile(bench, "another thread adds one that is ready", lambda: bench.watch(ready, IN)):
        bench.told_and_when("added during the wait", _WAIT_NS)
    bench.told("the next wait")


def _complete(bench: RingBench) -> None:
    ready, theirs = bench.pair()
    bench.send(theirs, 10, ready)

    def add() -> None:
        bench.receive(ready.fileno(), 100)
        bench.tried("another thread hands over a request", bench.ring.flush)

    with meanwhile(bench, "another thread adds a request", add):
        bench.completed_and_when("added during the wait", _WAIT_NS)


PROBE = Probe(
    row="19",
    title="another thread adds one during the wait",
    readiness=_ready,
    completion=_complete,
    without={"asyncio": _OTHERS, "uvloop": _OTHERS},
)
