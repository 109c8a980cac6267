"""One-shot epoll (EPOLLONESHOT, epoll(7), Linux): what a wait returned is told again only when it is asked for anew."""

from __future__ import annotations

import select

from nodes.engines import epoll
from nodes.engines.common.poller import READABLE, Trigger
from nodes.engines.common.readiness import Driver

availability = epoll.availability


class OneShotPoller(epoll.EpollPoller):
    """The kernel keeps what it has told, silent, even to errors; asking anew is a change of it."""

    trigger = Trigger.ONE_SHOT

    def __init__(self) -> None:
        super().__init__()
        add, change, flag = self.register, self.modify, select.EPOLLONESHOT

        def register(fd: int, interest: int) -> None:
            try:
                change(fd, interest | flag)
            except FileNotFoundError:
                add(fd, interest | flag)

        self.anew = change, READABLE | flag
        self.register = register
        self.modify = lambda fd, interest: change(fd, interest | flag)


class Engine(Driver):
    """One thread, one epoll set."""

    poller = OneShotPoller
