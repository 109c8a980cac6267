"""An event loop's poller, whose loop runs for as long as one waits."""

from __future__ import annotations

import time

from nodes.engines.common.event_loop import LoopPoller
from nodes.engines.common.poller import Trigger


class Looped:
    """As the others: a wait that ends with the first event, or at the timeout."""

    tells_end = False

    def __init__(self, poller: LoopPoller) -> None:
        self._poller = poller
        self.trigger: Trigger = poller.trigger
        self.register, self.modify, self.unregister = poller.register, poller.modify, poller.unregister
        self.close = poller.close

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        """`turn` of the poller stops the loop, unless its driver says otherwise."""
        loop = self._poller.loop
        end = None if timeout_ns is None else time.monotonic_ns() + timeout_ns
        while True:
            left = None if end is None else max(0, end - time.monotonic_ns())
            alarm = None if left is None else loop.call_later(left / 1e9, loop.stop)
            loop.run_forever()
            if alarm is not None:
                alarm.cancel()
            told = self._poller.wait(None)
            if told or (end is not None and time.monotonic_ns() >= end):
                return told
