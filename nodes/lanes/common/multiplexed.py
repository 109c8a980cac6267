"""A wait for readiness, which an engine's poller performs, and then a receive that does not block."""

from __future__ import annotations

from importlib import import_module

from nodes.engines.common.poller import READABLE
from nodes.lanes.common.bench import PATIENCE, SIZE, Bench, Overdue
from nodes.lanes.common.lane import Lane

LANE = Lane(
    "a wait blocks, for many sockets at once", "a wait returns", "synchronous, blocking", "asynchronous blocking",
    early=False, copied=False, tries=False, works=False,
)  # fmt: skip


def run(bench: Bench, engine: str) -> None:
    """Raises Overdue."""
    poller = import_module(f"nodes.engines.{engine}").Engine.poller()
    bench.socket.setblocking(False)
    poller.register(bench.socket.fileno(), READABLE)
    bench.call()
    ready = bench.blocked(poller.wait, PATIENCE)
    bench.returned()
    bench.notified()
    if not ready:
        raise Overdue
    bench.consumed(bench.socket.recv(SIZE))
    poller.close()
