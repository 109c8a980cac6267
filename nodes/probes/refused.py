"""Row 10: a connection is refused."""

from __future__ import annotations

import errno
import socket

from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import IN, OUT, PRI, RDHUP
from nodes.probes.common.probe import Probe
from nodes.probes.common.ring_bench import RingBench
from nodes.wire.addresses import IPv4


def _ready(bench: Bench) -> None:
    ours = bench.sockets.stream()
    bench.note("connects to a port where nobody listens")
    ours.connect_ex(bench.sockets.refusing())
    settled.broken(ours)
    bench.watch(ours, IN | PRI | OUT | RDHUP)
    bench.told("refused")
    bench.told("waited again")
    code = ours.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    bench.saw("SO_ERROR", errno.errorcode.get(code, str(code)))


def _complete(bench: RingBench) -> None:
    ours = bench.sockets.stream()
    bench.connect(ours.fileno(), IPv4(*bench.sockets.refusing()))
    bench.completed("refused")
    code = ours.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    bench.saw("SO_ERROR", errno.errorcode.get(code, "none"))


def _block(bench: BlockingBench) -> None:
    ours = bench.sockets.stream()
    ours.setblocking(True)
    bench.gives("refused", lambda: ours.connect(bench.sockets.refusing()), "connect")
    code = ours.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    bench.saw("SO_ERROR", errno.errorcode.get(code, "none"))


PROBE = Probe(
    row="10", title="a connection is refused", starred=True, readiness=_ready, completion=_complete, blocking=_block
)
