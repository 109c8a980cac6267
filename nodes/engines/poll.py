"""poll(2): an array of the descriptors that are waited for goes to the kernel with each wait; there is no bound."""

from __future__ import annotations

import select
import sys

from nodes.engines.common.poller import Trigger
from nodes.engines.common.readiness import Driver


def availability() -> str | None:
    return None if hasattr(select, "poll") else f"{sys.platform} has no poll"


class PollPoller:
    """Python keeps the array. Its masks are READABLE, WRITABLE and FAILED as they are."""

    trigger = Trigger.LEVEL
    tells_end = False

    def __init__(self) -> None:
        self._poll = select.poll()
        self.register = self._poll.register
        self.modify = self._poll.modify
        self.unregister = self._poll.unregister

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        """Python rounds the timeout up to whole milliseconds."""
        return self._poll.poll(None if timeout_ns is None else timeout_ns / 1e6)

    def close(self) -> None:
        """Nothing is kept in the kernel."""


class Engine(Driver):
    """One thread, one array."""

    poller = PollPoller
