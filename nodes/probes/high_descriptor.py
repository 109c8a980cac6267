"""Row 25: a descriptor whose number is not below 1024."""

from __future__ import annotations

import os
import socket

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench

NUMBER = 1500


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    high = raised(bench.sockets.kept, ours)
    bench.tried(f"number {NUMBER} registered", lambda: bench.watch(high, IN))
    bench.send(theirs, 10, high)
    bench.told("data came")


def raised(kept: object, sock: socket.socket) -> socket.socket:
    """The same socket by another number."""
    os.dup2(sock.fileno(), NUMBER)
    made: socket.socket = kept(socket.socket(fileno=NUMBER))  # type: ignore[operator]
    return made


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    high = raised(bench.sockets.kept, ours)
    bench.receive(high.fileno(), 100)
    bench.send(theirs, 10, high)
    bench.completed("data came")


PROBE = Probe(
    row="25",
    title="a descriptor whose number is not below 1024",
    readiness=_ready,
    completion=_complete,
    descriptors=NUMBER + 1,
)
