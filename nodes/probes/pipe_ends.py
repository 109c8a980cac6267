"""A pipe whose other end has left."""

from __future__ import annotations

import os

from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, OUT
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench


def _ready(bench: Bench) -> None:
    (left, writing), (reading, gone) = os.pipe(), os.pipe()
    for end in (writing, reading):
        bench.sockets.stack.callback(os.close, end)
    os.close(left)
    bench.note("the reader leaves")
    bench.watch(writing, OUT)
    bench.told("the reader has left")
    bench.poller.unregister(writing)
    os.close(gone)
    bench.note("the writer of another one leaves")
    bench.watch(reading, IN)
    bench.told("the writer has left")


def _complete(bench: RingBench) -> None:
    (left, writing), (reading, gone) = os.pipe(), os.pipe()
    for end in (writing, reading):
        bench.sockets.stack.callback(os.close, end)
    os.close(left)
    bench.note("the reader leaves")
    bench.poll(writing, OUT)
    bench.completed("the reader has left")
    os.close(gone)
    bench.note("the writer of another one leaves")
    bench.poll(reading, IN)
    bench.completed("the writer has left")


PROBE = Probe(row="more", title="a pipe whose other end has left", readiness=_ready, completion=_complete)
