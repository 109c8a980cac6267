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
    """epoll_create1, epoll_ctl, epoll_wait. Its masks are READABLE, WRITABLE and FAILED as they are.

    `change` is EPOLL_CTL_MOD itself, whatever `modify` makes of it.
    """

    trigger = Trigger.LEVEL
    tells_end = False

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.register: Callable[[int, int], None] = self._epoll.register
        self.modify: Callable[[int, int], None] = self._epoll.modify
        self.unregister = self._epoll.unregister
        self.close = self._epoll.close
        self.fileno, self.change = self._epoll.fileno, self._epoll.modify

    def wait(self, timeout_ns: int | None) -> list[tuple[int, int]]:
        """Python rounds the timeout up to whole milliseconds."""
        return self._epoll.poll(None if timeout_ns is None else timeout_ns / 1e9)

    def some(self, most: int, timeout_ns: int) -> list[tuple[int, int]]:
        """As `wait`, but at most so many of them."""
        return self._epoll.poll(timeout_ns / 1e9, most)


class Engine(Driver):
    """One thread, one epoll set."""

    poller = EpollPoller
