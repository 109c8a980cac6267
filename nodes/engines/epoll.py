"""Level-triggered epoll (epoll(7), Linux): the interest set stays in the kernel, a wait returns what is ready."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable

from nodes.engines.common.poller import Trigger
from nodes.engines.common.readiness import Driver


def availability() -> str | None:
    return None if hasattr(select, "epoll") else f"{sys.platform} has no epoll"


class EpollPoller:
    """epoll_create1, epoll_ctl, epoll_wait. Its masks are READABLE, WRITABLE and FAILED as they are."""

    trigger = Trigger.LEVEL
    tells_end = False

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.register: Callable[[int, int], None] = self._epoll.register
        self.modify: Callable[[int, int], None] = self._epoll.modify
        self.unregister = self._epoll.unregister
        self.close = self._epoll.close

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        """Python rounds the timeout up to whole milliseconds."""
        return self._epoll.poll(None if timeout_ns is None else timeout_ns / 1e9)


class Engine(Driver):
    """One thread, one epoll set."""

    poller = EpollPoller
