"""POSIX asynchronous I/O whose end a signal tells (SIGEV_SIGNAL, sigevent(3type))."""

from __future__ import annotations

import signal
from typing import Any

from nodes.lanes.common import aio
from nodes.lanes.common.aio import availability as availability
from nodes.lanes.common.bench import Bench
from nodes.lanes.common.lane import Lane

LANE = Lane(
    "a read goes on by itself", "a signal", "asynchronous", "asynchronous non-blocking",
    early=True, copied=True, tries=False, works=True, blocking=True,
)  # fmt: skip


def run(bench: Bench) -> None:
    told: list[int] = []

    def handle(number: int, _frame: Any) -> None:
        told.append(number)
        bench.notified(read.memory)

    signal.signal(signal.SIGUSR1, handle)
    read = aio.Read(bench, aio.SIGEV_SIGNAL, signal.SIGUSR1)
    bench.call()
    read.begin()
    bench.returned()
    while not told:
        bench.work()
    bench.consumed(read.end())
