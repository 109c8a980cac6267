"""Row 35: a datagram to a port that is closed."""

from __future__ import annotations

import socket

from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
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


def _block(bench: BlockingBench) -> None:
    ours = bench.sockets.datagrams()
    ours.connect(bench.sockets.refusing(socket.SOCK_DGRAM))
    ours.setblocking(True)
    bench.meanwhile("the port is closed", lambda: ours.recv(10), lambda: ours.send(b"x"))


PROBE = Probe(row="35", title="a datagram to a closed port", readiness=_ready, completion=_complete, blocking=_block)
