"""A child that was forked removes what its parent watches."""

from __future__ import annotations

import os

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair()
    bench.watch(ours, IN)
    bench.told("quiet")
    child = os.fork()
    if child == 0:
        try:
            bench.poller.unregister(ours.fileno())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    bench.note("a forked child has unregistered it")
    bench.send(theirs, 10, ours)
    bench.told("data came")


PROBE = Probe(
    row="more",
    title="a forked child removes what its parent watches",
    starred=True,
    readiness=_ready,
    not_of_rings="a ring has one thread that submits to it (IORING_SETUP_SINGLE_ISSUER)",
)
