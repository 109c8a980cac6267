"""SIGIO is one signal, however often it is sent while it is blocked; a realtime signal queues."""

from __future__ import annotations

import signal
import socket

from nodes.engines.common import signals
from nodes.probes.common.bench import Bench
from nodes.probes.common.probe import Probe

_SENDS = 5


def _ready(bench: Bench) -> None:
    """The poller keeps both signals blocked."""
    ours, theirs = bench.pair()
    for name, number in (("SIGIO", signal.SIGIO), ("a realtime signal", signal.SIGRTMIN)):
        signals.announce(ours.fileno(), number)
        bench.saw(f"five sends, {name}", f"{_taken(bench, ours, theirs, number)} signals")


def _taken(bench: Bench, ours: socket.socket, theirs: socket.socket, number: int) -> int:
    for _ in range(_SENDS):
        bench.send(theirs, 1, ours)
    count = 0
    while signal.sigtimedwait([number], 0) is not None:
        count += 1
    return count


PROBE = Probe(
    row="more",
    title="five sends while the signal is blocked",
    readiness=_ready,
    only=("sigio",),
    only_because="no signal tells it anything",
)
