"""Row 18: another thread closes a descriptor that a wait is for."""

from __future__ import annotations

import os
import socket

from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import IN, RDHUP
from nodes.probes.common.meanwhile import BY, FOR_EVER_NS, during
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench

_CLOSES = "another thread closes it"
_ANOTHER = "another"


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    other, ending = bench.pair()
    number = ours.fileno()
    bench.watch(ours, IN | RDHUP)
    bench.watch(other, IN)
    found, ended = during(
        bench, lambda: bench.waited(number, FOR_EVER_NS), _CLOSES, ours.close, lambda: ending.send(b"!")
    )
    bench.saw("the wait ends", BY[ended])
    bench.saw("it tells of what is closed", found)


def _complete(bench: RingBench) -> None:
    ours, _ = bench.pair()
    other, ending = bench.pair()
    bench.receive(ours.fileno(), 100)
    bench.receive(other.fileno(), 100, _ANOTHER)
    bench.handed()
    found, ended = during(bench, lambda: bench.waited(FOR_EVER_NS), _CLOSES, ours.close, lambda: ending.send(b"!"))
    bench.saw("the wait ends", BY[ended])
    bench.saw("it tells of what is closed", ", ".join(one for one in found if _ANOTHER not in one) or "nothing")


def _block(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    gave = bench.meanwhile(
        "closed during the call", lambda: ours.recv(10), lambda: os.close(ours.fileno()), lambda: theirs.send(b"!")
    )
    ours.detach()
    bench.saw("then data came", gave)
    other, _ = bench.ends()
    bench.meanwhile("shut down during the call", lambda: other.recv(10), lambda: other.shutdown(socket.SHUT_RDWR))


PROBE = Probe(
    row="18", title="another thread closes it during the wait", readiness=_ready, completion=_complete, blocking=_block
)
