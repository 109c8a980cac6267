"""Epoll sets that watch each other."""

from __future__ import annotations

from typing import cast

from nodes.engines.epoll import EpollPoller
from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import IN
from nodes.probes.common.probe import Probe


def _ready(bench: Bench) -> None:
    one, other = cast(EpollPoller, bench.poller), cast(EpollPoller, bench.subject.make())
    bench.sockets.stack.callback(other.close)
    bench.tried("one watches another", lambda: one.register(other.fileno(), IN))
    bench.tried("which watches the first", lambda: other.register(one.fileno(), IN))


PROBE = Probe(
    row="more",
    title="epoll sets that watch each other",
    readiness=_ready,
    only=("epoll", "epoll_edge", "epoll_oneshot", "epoll_exclusive"),
    only_because="it has no descriptor of its own that could be watched",
)
