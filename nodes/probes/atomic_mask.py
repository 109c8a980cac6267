"""A signal that comes just before a wait: pselect(2) and ppoll(2) let it in when they wait, and at no other time."""

from __future__ import annotations

import os
import signal

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe

_WAIT_NS = 150_000_000


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    bench.watch(ours, IN)
    handled = []
    before = signal.signal(signal.SIGTERM, lambda number, _: handled.append(number))
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        bench.note("SIGTERM is sent before the wait")
        bench.saw("before the wait it is", "handled" if handled else "held back")
        took = bench.timed(lambda: bench.wait(_WAIT_NS))
        bench.saw("the wait lasts", "its whole time" if took >= _WAIT_NS else "no longer than until it")
        bench.saw("after the wait it is", "handled" if handled else "held back")
    finally:
        bench.poller.close()
        signal.signal(signal.SIGTERM, before)


PROBE = Probe(
    row="signals",
    title="a signal just before the wait",
    starred=True,
    readiness=_ready,
    not_of_rings="the engine waits without a mask of signals",
)
