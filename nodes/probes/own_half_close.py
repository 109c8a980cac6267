"""Row 6: one's own side is shut for writing."""

from __future__ import annotations

import socket

from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, OUT, RDHUP
from nodes.probes.common.probe import Probe


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN | OUT | RDHUP)
    bench.told("connected")
    bench.note("the own side is shut for writing")
    ours.shutdown(socket.SHUT_WR)
    settled.ended(theirs)
    bench.told("own side shut")
    bench.again(ours)
    bench.told("asked anew")


PROBE = Probe(
    row="6",
    title="one's own side is shut for writing",
    starred=True,
    readiness=_ready,
    not_of_rings="a ring tells of requests, and none waits for this",
)
