"""Row 22: what epoll_ctl(2) refuses beside EPOLLEXCLUSIVE."""

from __future__ import annotations

import select
from typing import cast

from nodes.engines.epoll import EpollPoller
from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN, RDHUP
from nodes.probes.common.probe import Probe


def _ready(bench: Bench) -> None:
    ours, _ = bench.pair()
    poller = cast(EpollPoller, bench.poller)
    bench.tried("with EPOLLRDHUP", lambda: poller.register(ours.fileno(), IN | RDHUP))
    bench.tried("with EPOLLONESHOT", lambda: poller.register(ours.fileno(), IN | select.EPOLLONESHOT))
    bench.tried("by itself", lambda: poller.register(ours.fileno(), IN))
    bench.tried("EPOLL_CTL_MOD", lambda: poller.change(ours.fileno(), IN))


PROBE = Probe(
    row="22",
    title="EPOLLEXCLUSIVE with EPOLLRDHUP, EPOLLONESHOT or EPOLL_CTL_MOD",
    readiness=_ready,
    only=("epoll_exclusive",),
    only_because="the flag EPOLLEXCLUSIVE is another's",
)
