"""Row 24: eight are ready, and a wait has room for three events."""

from __future__ import annotations

from nodes.engines.epoll import EpollPoller
from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import PATIENCE_NS, Probe

_READY, _ROOM = 8, 3


def _ready(bench: Bench) -> None:
    """Who gives no such bound has room for all."""
    numbers = {}
    pairs = [bench.pair() for _ in range(_READY)]
    for number, (ours, _) in enumerate(pairs):
        bench.watch(ours, IN)
        numbers[ours.fileno()] = str(number)
    for ours, theirs in pairs:
        bench.send(theirs, 10, ours)
    for step in ("the first wait", "the second", "the third", "the fourth"):
        bench.saw(step, " ".join(numbers[fd] for fd, _ in _some(bench)) or "nothing")


def _some(bench: Bench) -> list[tuple[int, int]]:
    if isinstance(bench.poller, EpollPoller):
        return bench.poller.some(_ROOM, PATIENCE_NS)
    return bench.wait()


PROBE = Probe(row="24", title="eight are ready, and a wait has room for three", starred=True, readiness=_ready)
