"""Row 27: a wait of 100 microseconds."""

from __future__ import annotations

from collections.abc import Callable

from nodes.probes.common.bench import Bench, Common, outcome
from nodes.probes.common.blocking_bench import BlockingBench, limit
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench
from nodes.probes.common.settled import Unsettled

SHORT_NS = 100_000
_TRIES = 200
"""Of which one that is short suffices: a busy machine makes waits longer, never shorter."""
_MILLISECOND = 1_000_000
_LOOPS = "its waits end by its loop's own timers, and may be over before they begin"
_FEW, _TICKS = 20, 25 * _MILLISECOND
"""SO_RCVTIMEO counts in the kernel's ticks, of up to 10 ms (CONFIG_HZ)."""


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    bench.watch(ours, IN)
    shortest(bench, lambda: bench.wait(SHORT_NS))


def shortest(
    bench: Common, wait: Callable[[], object], tries: int = _TRIES, believable: int = 2 * _MILLISECOND
) -> None:
    """Raises Unsettled where no wait was shorter than what rounding up would explain."""
    least = believable
    for _ in range(tries):
        least = min(least, bench.timed(wait))
        if least < _MILLISECOND:
            break
    if least >= believable:
        raise Unsettled(f"this machine is too busy: each of {tries} waits took {believable // _MILLISECOND} ms or more")
    bench.note(f"the shortest wait took {least // 1000} us")
    bench.saw("100 us take", "a millisecond or more" if least >= _MILLISECOND else "less than a millisecond")


def _complete(bench: RingBench) -> None:
    ours, _ = bench.pair()
    bench.receive(ours.fileno(), 100)
    bench.handed()
    shortest(bench, lambda: bench.waited(SHORT_NS))


def _block(bench: BlockingBench) -> None:
    ours, _ = bench.ends()
    limit(ours, SHORT_NS // 1000)
    shortest(bench, lambda: outcome(lambda: ours.recv(1)), _FEW, _TICKS)


PROBE = Probe(
    row="27",
    title="a wait of 100 microseconds",
    starred=True,
    readiness=_ready,
    completion=_complete,
    blocking=_block,
    without={"asyncio": _LOOPS, "uvloop": _LOOPS},
)
