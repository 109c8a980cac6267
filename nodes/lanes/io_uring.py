"""io_uring (io_uring(7)): a receive is handed over, and comes back done; its completion is looked for between other
things that are done."""

from __future__ import annotations

import os

from nodes.engines.common.uring import Ring, address_of, submission
from nodes.engines.io_uring import availability as availability
from nodes.lanes.common.bench import SIZE, Bench
from nodes.lanes.common.lane import Lane

LANE = Lane(
    "a receive is done by the kernel", "a variable", "asynchronous", "asynchronous non-blocking",
    early=True, copied=True, tries=False, works=True, blocking=True,
)  # fmt: skip
_RECV, _TOKEN = 27, 1


def run(bench: Bench) -> None:
    memory = bytearray(SIZE)
    ring = Ring(4, 1, 4096)
    bench.call()
    ring.pushed.append(submission(_RECV, bench.socket.fileno(), address_of(memory), SIZE, _TOKEN))
    ring.flush()
    bench.returned()
    while not (done := list(ring.wait(0))):
        bench.work()
    bench.notified(memory)
    ((_, result, _),) = done
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    bench.consumed(memory[:result])
    ring.close()
