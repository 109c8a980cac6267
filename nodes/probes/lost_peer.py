"""Row 12: a peer is lost without a word: of a connection that is idle, is probed, or has something unacknowledged."""

from __future__ import annotations

import errno
import socket

from nodes.probes.common import namespace, settled
from nodes.probes.common.bench import Bench, Common
from nodes.probes.common.blocking_bench import BlockingBench
from nodes.probes.common.masks import ERR, HUP, IN, RDHUP, names
from nodes.probes.common.probe import PATIENCE_NS, Probe
from nodes.probes.common.ring_bench import RingBench

_LONGEST = 12.0
_WAITS = 3
"""Each tells all that is ready, of who has told it before or not."""
_IDLE, _PROBED, _UNACKNOWLEDGED = "idle", "with keepalive", "with unacknowledged data"


def _ready(bench: Bench) -> None:
    with namespace.network():
        lost = _lost(bench)
        for sock in lost.values():
            bench.watch(sock, IN | RDHUP)
        _cut(bench, lost)
        bench.told("at first")
        for name in (_PROBED, _UNACKNOWLEDGED):
            settled.shows(lost[name], ERR | HUP, _LONGEST)
        told = {sock.fileno(): 0 for sock in lost.values()}
        for _ in range(_WAITS):
            for fd, mask in bench.wait():
                told[fd] |= mask
        for name, sock in lost.items():
            bench.saw(name, names(told[sock.fileno()]))
        _errors(bench, lost)


def _complete(bench: RingBench) -> None:
    with namespace.network():
        lost = _lost(bench)
        for name, sock in lost.items():
            bench.receive(sock.fileno(), 10, f"receive, {name}")
        bench.handed()
        _cut(bench, lost)
        bench.completed("at first")
        for name in (_PROBED, _UNACKNOWLEDGED):
            settled.shows(lost[name], HUP, _LONGEST)
        bench.saw("when they are given up", "; ".join(sorted(bench.waited(PATIENCE_NS))))
        bench.completed("then")


def _lost(bench: Common) -> dict[str, socket.socket]:
    found = {name: bench.pair()[0] for name in (_IDLE, _PROBED, _UNACKNOWLEDGED)}
    found[_PROBED].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 1)):
        found[_PROBED].setsockopt(socket.IPPROTO_TCP, option, value)
    found[_UNACKNOWLEDGED].setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000)
    return found


def _cut(bench: Common, lost: dict[str, socket.socket]) -> None:
    bench.note("every packet is thrown away from now on; one of three sends")
    namespace.black_hole()
    lost[_UNACKNOWLEDGED].send(bytes(100))


def _errors(bench: Common, lost: dict[str, socket.socket]) -> None:
    for name, sock in lost.items():
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        bench.saw(f"{name}, SO_ERROR", errno.errorcode.get(code, "none"))


def _block(bench: BlockingBench) -> None:
    with namespace.network():
        lost = _lost(bench)
        for sock in lost.values():
            sock.setblocking(True)
        idle = lost.pop(_IDLE)
        cut, shut = lambda: _cut(bench, lost), lambda: idle.shutdown(socket.SHUT_RD)
        bench.meanwhile(_IDLE, lambda: idle.recv(10), cut, shut)
        for name, sock in lost.items():
            bench.gives(name, lambda sock=sock: sock.recv(10))  # type: ignore[misc]


PROBE = Probe(
    row="12",
    title="a peer is lost without a word",
    starred=True,
    readiness=_ready,
    completion=_complete,
    blocking=_block,
    root=True,
    deadline=30.0,
)
