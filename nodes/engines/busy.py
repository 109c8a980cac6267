"""Busy polling: nobody waits. Every socket is tried again and again, and says EAGAIN nearly always."""

from __future__ import annotations

from nodes.engines.common.offer import Offer
from nodes.engines.common.poller import Trigger
from nodes.engines.common.readiness import Driver


def availability() -> str | None:
    return None


class BusyPoller:
    """Takes everything for ready, at once, whatever the timeout."""

    trigger = Trigger.LEVEL
    tells_end = False

    def __init__(self) -> None:
        self._interests: dict[int, int] = {}
        self.register = self.modify = self._interests.__setitem__
        self.unregister = self._interests.__delitem__

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        return list(self._interests.items())

    def close(self) -> None:
        """There is nothing."""


class Engine(Driver):
    """One thread, and all the CPU that it can get."""

    offer = Offer(waits=False)
    poller = BusyPoller
