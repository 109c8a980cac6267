"""Row 14: a full send buffer, and when it has room again."""

from __future__ import annotations

import socket
from contextlib import suppress

from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import OUT
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import WAIT_ALL, RingBench

BUFFERS = {"send": 65536, "receive": 65536}
_PIECE = 4096
_LARGE = 4 << 20
_QUIET = 60
"""Looks, a millisecond apart, at a buffer that stays full: an acknowledgement may be delayed for 40 ms."""


def _ready(bench: Bench) -> None:
    ours, theirs = bench.pair(**BUFFERS)
    total = filled(ours)
    bench.note("the send buffer is full")
    bench.watch(ours, OUT)
    bench.told("full")
    drained = _drained(theirs, ours)
    bench.note("the peer has drained until there is room")
    bench.saw("there is room before all is drained", 0 < drained < total)
    bench.told("room again")
    bench.told("waited again")


def filled(sock: socket.socket) -> int:
    """Sends until nothing more fits, nor will; -> how many bytes that is."""
    sent = quiet = 0

    def full() -> bool:
        nonlocal sent, quiet
        before = sent
        try:
            while True:
                sent += sock.send(bytes(_PIECE))
        except BlockingIOError:
            quiet = quiet + 1 if sent == before else 0
        return quiet >= _QUIET

    settled.until(full, "a send buffer to be full")
    return sent


def _drained(peer: socket.socket, ours: socket.socket) -> int:
    """-> how many bytes the peer has read when there is room for some."""
    read = 0

    def room() -> bool:
        nonlocal read
        if settled.state(ours) & OUT:
            return True
        try:
            read += len(peer.recv(_PIECE))
        except BlockingIOError:
            pass  # what it makes room for is on its way
        return bool(settled.state(ours) & OUT)

    settled.until(room, "room in the send buffer")
    return read


def _complete(bench: RingBench) -> None:
    ours, theirs = bench.pair(**BUFFERS)
    bench.transmit(ours.fileno(), _LARGE)
    bench.completed("a large send")
    bench.transmit(ours.fileno(), _LARGE, WAIT_ALL)
    bench.completed("another, with MSG_WAITALL")
    while not (found := bench.waited(0)):
        with suppress(BlockingIOError):
            theirs.recv(_LARGE)
    bench.saw("the peer reads", ", ".join(found))


def _block(bench: BlockingBench) -> None:
    ours, theirs = bench.pair(**BUFFERS)
    ours.setblocking(True)
    theirs.setblocking(True)

    def read() -> None:
        left = _LARGE
        while left:
            left -= len(theirs.recv(left))

    gave = bench.meanwhile("a large send", lambda: ours.send(bytes(_LARGE)), lambda: None, read, "send")
    bench.saw("the peer reads", gave)


PROBE = Probe(
    row="14",
    title="a full send buffer, then the peer reads",
    starred=True,
    readiness=_ready,
    completion=_complete,
    blocking=_block,
)
