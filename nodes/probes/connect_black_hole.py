"""Row 11: a connection to where nobody answers, not even with a refusal."""

from __future__ import annotations

import errno
import socket

from nodes.probes.common import namespace, settled
from nodes.probes.common.bench import Bench, Common
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import ERR, HUP, IN, OUT, PRI, RDHUP
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench
from nodes.wire.addresses import IPv4

_SYNS = 1
"""Retransmissions of the first packet: the connection is given up after about three seconds."""
_LONGEST = 12.0
_LONGEST_NS = 12_000_000_000


def _ready(bench: Bench) -> None:
    with namespace.network():
        ours, address = _prepared(bench)
        bench.note("connects to a black hole")
        ours.connect_ex(address)
        bench.watch(ours, IN | PRI | OUT | RDHUP)
        bench.told("connecting")
        settled.shows(ours, ERR | HUP, _LONGEST)
        bench.told("given up")
        code = ours.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        bench.saw("SO_ERROR", errno.errorcode.get(code, str(code)))


def _complete(bench: RingBench) -> None:
    with namespace.network():
        ours, address = _prepared(bench)
        bench.connect(ours.fileno(), IPv4(*address))
        bench.completed("connecting")
        bench.saw("given up", ", ".join(bench.waited(_LONGEST_NS)) or "nothing")


def _prepared(bench: Common) -> tuple[socket.socket, tuple[str, int]]:
    """A socket that gives up soon, and the address of a listener that no packet reaches."""
    address = bench.sockets.listener().getsockname()
    namespace.black_hole()
    ours = bench.sockets.stream()
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, _SYNS)
    return ours, address


def _block(bench: BlockingBench) -> None:
    with namespace.network():
        ours, address = _prepared(bench)
        ours.setblocking(True)
        gave = bench.meanwhile("connecting", lambda: ours.connect(address), lambda: None, name="connect")
        bench.saw("given up", gave)


PROBE = Probe(
    row="11",
    title="a connection to a black hole",
    readiness=_ready,
    completion=_complete,
    blocking=_block,
    root=True,
    deadline=30.0,
)
