"""Row 19: another thread adds a descriptor that is ready to what a wait is for."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.meanwhile import BY, FOR_EVER_NS, during
from nodes.probes.common.probe import PATIENCE_NS, Probe
from nodes.probes.common.ring_bench import RingBench

_ADDS = "another thread adds one that is ready"
_ANOTHER = "another"
_LOOPS = "its loop belongs to one thread: add_reader from another is not allowed (asyncio-dev, Concurrency)"


def _ready(bench: Bench) -> None:
    quiet, ending = bench.pair()
    ready, theirs = bench.pair()
    bench.send(theirs, 10, ready)
    bench.watch(quiet, IN)
    number = ready.fileno()
    found, ended = during(
        bench,
        lambda: bench.waited(number, FOR_EVER_NS),
        _ADDS,
        lambda: bench.watch(ready, IN),
        lambda: ending.send(b"!"),
    )
    bench.saw("the wait ends", BY[ended])
    bench.saw("it tells of what is added", found)
    bench.saw("the next wait does", bench.waited(number, PATIENCE_NS))


def _complete(bench: RingBench) -> None:
    quiet, ending = bench.pair()
    ready, theirs = bench.pair()
    bench.send(theirs, 10, ready)
    bench.receive(quiet.fileno(), 10, _ANOTHER)
    bench.handed()

    def add() -> None:
        bench.receive(ready.fileno(), 100)
        bench.tried("another thread hands over a request", bench.ring.flush)

    found, ended = during(bench, lambda: bench.waited(FOR_EVER_NS), _ADDS, add, lambda: ending.send(b"!"))
    bench.saw("the wait ends", BY[ended])
    bench.saw("it tells of what is added", ", ".join(one for one in found if _ANOTHER not in one) or "nothing")


PROBE = Probe(
    row="19",
    title="another thread adds one during the wait",
    readiness=_ready,
    completion=_complete,
    without={"asyncio": _LOOPS, "uvloop": _LOOPS},
)
