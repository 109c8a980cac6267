"""Row 7: one's own side is shut for reading."""

from __future__ import annotations

import socket

from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import IN, RDHUP
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    bench.watch(ours, IN | RDHUP)
    bench.note("the own side is shut for reading")
    ours.shutdown(socket.SHUT_RD)
    settled.ended(ours)
    bench.told("own side shut")
    bench.again(ours)
    bench.told("asked anew")
    bench.saw("then received", f"{len(ours.recv(1))} bytes")


def _complete(bench: RingBench) -> None:
    ours, _ = bench.pair()
    bench.receive(ours.fileno(), 10)
    bench.handed()
    bench.note("the own side is shut for reading")
    ours.shutdown(socket.SHUT_RD)
    bench.completed("own side shut")
    bench.receive(ours.fileno(), 10)
    bench.completed("asked again")


def _block(bench: BlockingBench) -> None:
    ours, _ = bench.ends()
    bench.meanwhile("own side shut", lambda: ours.recv(10), lambda: ours.shutdown(socket.SHUT_RD))
    bench.gives("asked again", lambda: ours.recv(10))


PROBE = Probe(
    row="7", title="one's own side is shut for reading", readiness=_ready, completion=_complete, blocking=_block
)
