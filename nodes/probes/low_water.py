"""SO_RCVLOWAT: less than so many bytes are nothing to read."""

from __future__ import annotations

import socket

from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 100)
    bench.watch(ours, IN)
    bench.send(theirs, 50, ours)
    bench.told("50 bytes of 100")
    bench.send(theirs, 50, ours)
    bench.told("100 bytes")


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 100)
    bench.receive(ours.fileno(), 1000)
    bench.handed()
    bench.send(theirs, 50, ours)
    bench.completed("50 bytes of 100")
    bench.send(theirs, 50, ours)
    bench.completed("100 bytes")


def _block(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 100)
    step = "50 bytes of 100"
    gave = bench.meanwhile(
        step, lambda: ours.recv(1000), lambda: theirs.send(bytes(50)), lambda: theirs.send(bytes(50))
    )
    bench.saw("100 bytes", gave)


PROBE = Probe(row="more", title="SO_RCVLOWAT of 100 bytes", readiness=_ready, completion=_complete, blocking=_block)
