"""Row 8: the peer resets the connection."""

from __future__ import annotations

from nodes.probes.common import sockets
from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import IN, OUT, PRI, RDHUP
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN | PRI | OUT | RDHUP)
    bench.reset(theirs, ours)
    bench.told("the peer reset")
    bench.received("received", ours, 1)
    bench.received("received again", ours, 1)


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.receive(ours.fileno(), 10)
    bench.handed()
    bench.reset(theirs, ours)
    bench.completed("the peer reset")
    bench.receive(ours.fileno(), 10)
    bench.completed("asked again")


def _block(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    bench.meanwhile("the peer reset", lambda: ours.recv(10), lambda: sockets.reset(theirs))
    bench.gives("asked again", lambda: ours.recv(10))


PROBE = Probe(
    row="8",
    title="the peer resets the connection",
    starred=True,
    readiness=_ready,
    completion=_complete,
    blocking=_block,
)
