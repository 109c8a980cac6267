"""A receive that blocks: nothing is done until the data is there."""

from __future__ import annotations

import socket
import struct

from nodes.lanes.common.bench import PATIENCE, SIZE, Bench
from nodes.lanes.common.lane import Lane

LANE = Lane(
    "a call blocks", "the call returns", "synchronous, blocking", "synchronous blocking",
    early=False, copied=True, tries=False, works=False, blocking=True,
)  # fmt: skip


def availability() -> str | None:
    return None


def run(bench: Bench) -> None:
    """With a deadline that the kernel keeps (SO_RCVTIMEO, socket(7)); `settimeout` would not block, but poll."""
    limit = struct.pack("@ll", *divmod(PATIENCE // 1000, 1_000_000))
    bench.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    bench.call()
    message = bench.blocked(bench.socket.recv, SIZE)
    bench.returned()
    bench.notified(message)
    bench.consumed(message)
