"""A signal that comes just before a wait: pselect(2) and ppoll(2) let it in when they wait, and at no other time."""

from __future__ import annotations

import os
import signal

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.meanwhile import FOR_EVER_NS, during
from nodes.probes.common.probe import Probe


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN)
    handled: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: handled.append(number))
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        bench.note("SIGTERM is sent before the wait")
        bench.saw("before the wait it is", told(handled))
        _, ended = during(
            bench,
            lambda: bench.wait(FOR_EVER_NS),
            "it is looked whether the wait goes on",
            lambda: None,
            lambda: theirs.send(b"!"),
        )
        bench.saw("the wait", "is ended by it" if ended else "goes on")
        bench.saw("after the wait it is", told(handled))
    finally:
        bench.poller.close()
        signal.signal(signal.SIGTERM, before)


def told(handled: list[int]) -> str:
    return "handled" if handled else "held back"


PROBE = Probe(
    row="signals",
    title="a signal just before the wait",
    starred=True,
    readiness=_ready,
    not_of_rings="the engine waits without a mask of signals",
)
