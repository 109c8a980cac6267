"""Row 24: eight are ready, and a wait has room for three events."""

from __future__ import annotations

from nodes.engines.epoll import EpollPoller
from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import PATIENCE_NS, Probe
from nodes.probes.common.ring_bench import RingBench

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


def _complete(bench: RingBench) -> None:
    pairs = [bench.pair() for _ in range(_READY)]
    for number, (ours, _) in enumerate(pairs):
        bench.receive(ours.fileno(), 100, str(number))
    bench.handed()
    for ours, theirs in pairs:
        bench.send(theirs, 10, ours)
    bench.saw("the first wait", " ".join(_finished(bench)))
    bench.saw("the second", " ".join(_finished(bench)) or "nothing")


def _finished(bench: RingBench) -> list[str]:
    return [said.partition(":")[0] for said in bench.waited(PATIENCE_NS)]


PROBE = Probe(
    row="24",
    title="eight are ready, and a wait has room for three",
    starred=True,
    readiness=_ready,
    completion=_complete,
)
