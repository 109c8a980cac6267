"""Row 28: an out-of-band byte."""

from __future__ import annotations

import socket

from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import IN, PRI
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN | PRI)
    bench.note("the peer sends an urgent byte")
    theirs.send(b"!", socket.MSG_OOB)
    settled.urgent(ours)
    bench.told("an urgent byte came")
    bench.received("received out of band", ours, 1, socket.MSG_OOB)
    bench.received("received in line", ours, 1)


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.receive(ours.fileno(), 100)
    bench.handed()
    bench.note("the peer sends an urgent byte")
    theirs.send(b"!", socket.MSG_OOB)
    settled.urgent(ours)
    bench.completed("an urgent byte came")
    bench.send(theirs, 10, ours)
    bench.completed("ten bytes came")


def _block(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    receive = lambda: ours.recv(100)  # noqa: E731
    gave = bench.meanwhile(
        "an urgent byte came", receive, lambda: theirs.send(b"!", socket.MSG_OOB), lambda: theirs.send(bytes(10))
    )
    bench.saw("ten bytes came", gave)


PROBE = Probe(
    row="28", title="an out-of-band byte", starred=True, readiness=_ready, completion=_complete, blocking=_block
)
