"""Row 29: eight connect to a listener with a backlog of two, which accepts none."""

from __future__ import annotations

from nodes.probes.common import settled
from nodes.probes.common.bench import Bench
from nodes.probes.common.masks import OUT
from nodes.probes.common.probe import Probe

_BACKLOG, _CLIENTS = 2, 8
_WAITS = 3
"""Each tells all that is ready, of who has told it before or not."""


def _ready(bench: Bench) -> None:
    listener = bench.sockets.listener(_BACKLOG)
    clients = [bench.sockets.stream() for _ in range(_CLIENTS)]
    for client in clients:
        client.connect_ex(listener.getsockname())
    settled.until(lambda: sum(bool(settled.state(one) & OUT) for one in clients) > _BACKLOG, "a full backlog")
    bench.note("eight connect, nobody accepts")
    for client in clients:
        bench.watch(client, OUT)
    told = {fd for _ in range(_WAITS) for fd, _ in bench.wait()}
    bench.saw("told to be connected", len(told))
    bench.saw("connected", sum(bool(settled.state(one) & OUT) for one in clients))


PROBE = Probe(
    row="29",
    title="eight connect where the backlog is two",
    starred=True,
    readiness=_ready,
    not_of_rings="it is about what a listener's queue holds, which the readiness engines show",
)
