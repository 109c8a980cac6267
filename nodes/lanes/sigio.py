"""Signal-driven I/O (O_ASYNC, fcntl(2)): a signal says that the socket is readable, while something else is done."""

from __future__ import annotations

import signal
from typing import Any

from nodes.engines.common import signals
from nodes.engines.sigio import availability as availability
from nodes.lanes.common.bench import SIZE, Bench
from nodes.lanes.common.lane import Lane

LANE = Lane(
    "a signal says that a call would not block", "a signal", "synchronous, non-blocking", "-",
    early=True, copied=False, tries=False, works=True,
)  # fmt: skip


def run(bench: Bench) -> None:
    """The handler of Python runs between two steps of the program, soon after the kernel's signal."""
    told: list[int] = []

    def handle(number: int, _frame: Any) -> None:
        if not told:
            told.append(number)
            bench.notified()

    signal.signal(signal.SIGIO, handle)
    bench.call()
    signals.announce(bench.socket.fileno(), signal.SIGIO)
    bench.returned()
    while not told:
        bench.work()
    bench.consumed(bench.socket.recv(SIZE))
    signals.silence(bench.socket.fileno())
