"""Row 35: a datagram to a port that is closed."""

from __future__ import annotations

import socket

from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import ERR, IN, OUT
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    ours = bench.sockets.datagrams()
    ours.connect(bench.sockets.refusing(socket.SOCK_DGRAM))
    bench.watch(ours, IN | OUT)
    bench.note("a datagram goes to a port that is closed")
    ours.send(b"x")
    settled.shows(ours, ERR)
    bench.told("the port is closed")
    bench.received("received", ours, 1)


def _complete(bench: RingBench) -> None:
    ours = bench.sockets.datagrams()
    ours.connect(bench.sockets.refusing(socket.SOCK_DGRAM))
    bench.receive(ours.fileno(), 10)
    bench.handed()
    bench.note("a datagram goes to a port that is closed")
    ours.send(b"x")
    settled.shows(ours, ERR)
    bench.completed("the port is closed")


PROBE = Probe(row="35", title="a datagram to a closed port", readiness=_ready, completion=_complete)
