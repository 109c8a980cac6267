"""Row 5: the end comes together with the last data, and whoever reads exactly that data is told of it, or never."""

from __future__ import annotations

from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import IN, RDHUP
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN | RDHUP)
    bench.send(theirs, 1000, ours)
    bench.end(theirs, ours)
    bench.told("data and end came")
    bench.read(ours, 1000)
    bench.told("the data read, the end not")
    bench.again(ours)
    bench.told("asked anew")


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.receive(ours.fileno(), 4096)
    bench.handed()
    bench.send(theirs, 1000, ours)
    bench.end(theirs, ours)
    bench.completed("data and end came")
    bench.receive(ours.fileno(), 4096)
    bench.completed("asked again")


def _block(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    bench.send(theirs, 1000, ours)
    bench.end(theirs, ours)
    bench.gives("data and end came", lambda: ours.recv(4096))
    bench.gives("asked again", lambda: ours.recv(4096))


PROBE = Probe(
    row="5",
    title="data and end together, the data read",
    starred=True,
    readiness=_ready,
    completion=_complete,
    blocking=_block,
)
