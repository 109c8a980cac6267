"""Row 4: the peer shuts its side; both are shut."""

from __future__ import annotations

import socket

from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import HUP, IN, RDHUP
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN | RDHUP)
    bench.end(theirs, ours)
    bench.told("the peer shut its side")
    bench.told("waited again")
    bench.note("the own side is shut")
    ours.shutdown(socket.SHUT_WR)
    settled.shows(ours, HUP)
    bench.told("both sides shut")


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.receive(ours.fileno(), 10)
    bench.handed()
    bench.end(theirs, ours)
    bench.completed("the peer shut its side")
    bench.receive(ours.fileno(), 10)
    bench.completed("asked again")


def _block(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    bench.meanwhile("the peer shut its side", lambda: ours.recv(10), lambda: bench.end(theirs, ours))
    bench.gives("asked again", lambda: ours.recv(10))


PROBE = Probe(
    row="4", title="the peer half-closes", starred=True, readiness=_ready, completion=_complete, blocking=_block
)
