"""Row 30: a client connects and resets before it is accepted."""

from __future__ import annotations

from nodes.probes.common import settled, sockets
from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    listener, client = bench.sockets.listener(), bench.sockets.stream()
    bench.watch(listener, IN)
    client.connect_ex(listener.getsockname())
    settled.readable(listener)
    bench.note("a client connects, and resets at once")
    sockets.reset(client)
    bench.told("connected and reset")
    accepted = bench.sockets.kept(listener.accept()[0])
    bench.saw("accept", "succeeds")
    settled.broken(accepted)
    bench.received("received", accepted, 1)


def _complete(bench: RingBench) -> None:
    listener, client = bench.sockets.listener(), bench.sockets.stream()
    client.connect_ex(listener.getsockname())
    settled.readable(listener)
    bench.note("a client connects, and resets at once")
    sockets.reset(client)
    bench.accept(listener.fileno())
    bench.completed("connected and reset")
    bench.receive(bench.accepted[0], 10)
    bench.completed("received")


def _block(bench: BlockingBench) -> None:
    listener, client = bench.sockets.listener(), bench.sockets.stream()
    client.connect_ex(listener.getsockname())
    settled.readable(listener)
    bench.note("a client connects, and resets at once")
    sockets.reset(client)
    listener.setblocking(True)
    accepted = bench.sockets.kept(listener.accept()[0])
    bench.saw("connected and reset", "accept: done")
    bench.gives("received", lambda: accepted.recv(1))


PROBE = Probe(
    row="30",
    title="a client resets before it is accepted",
    starred=True,
    readiness=_ready,
    completion=_complete,
    blocking=_block,
)
