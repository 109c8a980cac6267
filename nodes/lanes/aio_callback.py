"""POSIX asynchronous I/O whose end is told by a call in a thread of the C library's (SIGEV_THREAD, sigevent(3type))."""

from __future__ import annotations

import threading

from nodes.lanes.common import aio
from nodes.lanes.common.aio import availability as availability
from nodes.lanes.common.bench import Bench
from nodes.lanes.common.lane import Lane

LANE = Lane(
    "a read goes on by itself", "a callback", "asynchronous", "asynchronous non-blocking",
    early=True, copied=True, tries=False, works=True, blocking=True,
)  # fmt: skip


def run(bench: Bench) -> None:
    told = threading.Event()

    def tell(_value: int) -> None:
        bench.notified(read.memory)
        told.set()

    called = aio.CALLBACK(tell)  # for as long as it may be called
    read = aio.Read(bench, aio.SIGEV_THREAD, callback=called)
    bench.call()
    read.begin()
    bench.returned()
    while not told.is_set():
        bench.work()
    bench.consumed(read.end())
