"""Row 27: a wait of 100 microseconds."""

from __future__ import annotations

from collections.abc import Callable

from nodes.probes.common.bench import Bench, Common
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench

SHORT_NS = 100_000
_TRIES = 40
"""Of which the shortest counts: a busy machine makes waits longer, never shorter."""


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    bench.watch(ours, IN)
    shortest(bench, lambda: bench.wait(SHORT_NS))


def shortest(bench: Common, wait: Callable[[], object]) -> None:
    least = min(bench.timed(wait) for _ in range(_TRIES))
    bench.note(f"the shortest of {_TRIES} took {least // 1000} us")
    bench.saw("100 us take", "a millisecond or more" if least >= 1_000_000 else "less than a millisecond")


def _complete(bench: RingBench) -> None:
    ours, _ = bench.pair()
    bench.receive(ours.fileno(), 100)
    bench.handed()
    shortest(bench, lambda: bench.waited(SHORT_NS))


PROBE = Probe(
    row="27",
    title="a wait of 100 microseconds",
    starred=True,
    readiness=_ready,
    completion=_complete,
    without={"uvloop": "its waits end by its own timers, which have whole milliseconds"},
)
