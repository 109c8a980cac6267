"""Exclusive epoll (EPOLLEXCLUSIVE, epoll_ctl(2), Linux 4.5): of several sets that watch a listener, one is told."""

from __future__ import annotations

import select

from nodes.engines import epoll
from nodes.engines.common.offer import Offer
from nodes.engines.common.poller import READABLE, WRITABLE
from nodes.engines.common.workers import MOST, Worker


def availability() -> str | None:
    return epoll.availability() or (
        None if hasattr(select, "EPOLLEXCLUSIVE") else "this Python knows no EPOLLEXCLUSIVE"
    )


class ExclusivePoller(epoll.EpollPoller):
    """What is watched exclusively cannot be modified, only watched anew. `askable`: all that one may ask for."""

    askable = READABLE | WRITABLE

    def __init__(self) -> None:
        super().__init__()
        add, remove = self.register, self.unregister
        self.register = lambda fd, interest: add(fd, interest | select.EPOLLEXCLUSIVE)

        def modify(fd: int, interest: int) -> None:
            remove(fd)
            self.register(fd, interest)

        self.modify = modify


class Engine(Worker):
    """One thread and one epoll set for each worker."""

    offer = Offer(workers=MOST)
    poller = ExclusivePoller
