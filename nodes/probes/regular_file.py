"""A regular file, which is always ready."""

from __future__ import annotations

import tempfile

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, OUT
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    with tempfile.TemporaryFile() as file:
        bench.tried("registered", lambda: bench.watch(file, IN | OUT))
        bench.told("waited")


def _complete(bench: RingBench) -> None:
    with tempfile.TemporaryFile() as file:
        bench.poll(file.fileno(), IN | OUT)
        bench.completed("waited")


PROBE = Probe(row="more", title="a regular file", starred=True, readiness=_ready, completion=_complete)
