"""Row 17: a descriptor's number gets another socket, while a duplicate of the old one stays open."""

from __future__ import annotations

import os

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    old, old_peer = bench.pair()
    new, new_peer = bench.pair()
    number = old.fileno()
    bench.watch(old, IN)
    bench.told("quiet")
    kept = bench.sockets.kept(old.dup())
    bench.note("its number gets another socket, and a duplicate of the old one stays open")
    os.dup2(new.fileno(), number)
    bench.tried("registered again", lambda: bench.watch(number, IN))
    bench.send(old_peer, 10, kept)
    bench.send(new_peer, 10, new)
    events = [fd for fd, _ in bench.wait() if fd == number]
    bench.saw("both have data", f"{len(events)} events for one number")


def _complete(bench: RingBench) -> None:
    old, old_peer = bench.pair()
    new, new_peer = bench.pair()
    number = old.fileno()
    bench.receive(number, 100, "receive of the old one")
    bench.handed()
    bench.note("its number gets another socket")
    os.dup2(new.fileno(), number)
    bench.receive(number, 100, "receive of the new one")
    bench.handed()
    bench.deliver(new_peer, 20)
    bench.completed("the new one has 20 bytes")
    bench.deliver(old_peer, 10)
    bench.completed("the old one has 10 bytes")


PROBE = Probe(
    row="17",
    title="another socket on the number of one that is watched",
    starred=True,
    readiness=_ready,
    completion=_complete,
)
