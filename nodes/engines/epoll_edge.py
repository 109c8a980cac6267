"""Edge-triggered epoll (EPOLLET, epoll(7), Linux): a wait returns what became ready since it was told last."""

from __future__ import annotations

import select

from nodes.engines import epoll
from nodes.engines.common.poller import Trigger
from nodes.engines.common.readiness import Driver

availability = epoll.availability


class EdgePoller(epoll.EpollPoller):
    """Asks for EPOLLRDHUP and EPOLLPRI too, so that no end of file and no urgent data hides behind other data."""

    trigger = Trigger.EDGE
    tells_end = True

    def __init__(self) -> None:
        super().__init__()
        register, modify, flags = self.register, self.modify, select.EPOLLET | select.EPOLLRDHUP | select.EPOLLPRI
        self.register = lambda fd, interest: register(fd, interest | flags)
        self.modify = lambda fd, interest: modify(fd, interest | flags)


class Engine(Driver):
    """One thread, one epoll set."""

    poller = EdgePoller
