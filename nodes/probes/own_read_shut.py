"""Row 7: one's own side is shut for reading."""

from __future__ import annotations

import socket

from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, RDHUP
from nodes.probes.common.probe import Probe


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


PROBE = Probe(row="7", title="one's own side is shut for reading", readiness=_ready)
