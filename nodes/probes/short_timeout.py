"""Row 27: a wait of 100 microseconds."""

from __future__ import annotations

from collections.abc import Callable

from nodes.probes.common.bench import Bench, Common
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench
from nodes.probes.common.settled import Unsettled

SHORT_NS = 100_000
_TRIES = 200
"""Of which one that is short suffices: a busy machine makes waits longer, never shorter."""
_MILLISECOND = 1_000_000


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    bench.watch(ours, IN)
    shortest(bench, lambda: bench.wait(SHORT_NS))


def shortest(bench: Common, wait: Callable[[], object]) -> None:
    """Raises Unsettled where no wait was as short as whole milliseconds would be."""
    least = 2 * _MILLISECOND
    for _ in range(_TRIES):
        least = min(least, bench.timed(wait))
        if least < _MILLISECOND:
            break
    if least >= 2 * _MILLISECOND:
        raise Unsettled(f"this machine is too busy: each of {_TRIES} waits took two milliseconds or more")
    bench.note(f"the shortest wait took {least // 1000} us")
    bench.saw("100 us take", "a millisecond or more" if least >= _MILLISECOND else "less than a millisecond")


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
