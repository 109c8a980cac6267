"""POSIX asynchronous I/O whose end is looked for in a variable (aio_error(3)), between other things that are done."""

from __future__ import annotations

from nodes.lanes.common import aio
from nodes.lanes.common.aio import availability as availability
from nodes.lanes.common.bench import Bench
from nodes.lanes.common.lane import Lane

LANE = Lane(
    "a read goes on by itself", "a variable", "asynchronous", "asynchronous non-blocking",
    early=True, copied=True, tries=False, works=True, blocking=True,
)  # fmt: skip


def run(bench: Bench) -> None:
    read = aio.Read(bench, aio.SIGEV_NONE)
    bench.call()
    read.begin()
    bench.returned()
    while read.going_on:
        bench.work()
    bench.notified(read.memory)
    bench.consumed(read.end())
