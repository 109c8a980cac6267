"""A receive that never blocks (O_NONBLOCK), made again and again: whoever wants the data asks for it all the time."""

from __future__ import annotations

from time import monotonic_ns

from nodes.lanes.common.bench import SIZE, Bench
from nodes.lanes.common.lane import Lane

LANE = Lane(
    "a call is made again and again", "the call returns", "synchronous, non-blocking", "synchronous non-blocking",
    early=True, copied=True, tries=True, works=False,
)  # fmt: skip


def availability() -> str | None:
    return None


def run(bench: Bench) -> None:
    bench.socket.setblocking(False)
    bench.call()
    while True:
        begun = monotonic_ns()
        try:
            message = bench.socket.recv(SIZE)
        except BlockingIOError:
            bench.returned()
            bench.tried(begun)
        else:
            bench.notified(message)
            bench.consumed(message)
            return
