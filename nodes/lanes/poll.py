"""poll(2) says that the socket is readable; the receive after that does not block."""

from __future__ import annotations

from nodes.engines.poll import availability as availability
from nodes.lanes.common import multiplexed
from nodes.lanes.common.bench import Bench

LANE = multiplexed.LANE


def run(bench: Bench) -> None:
    multiplexed.run(bench, "poll")
