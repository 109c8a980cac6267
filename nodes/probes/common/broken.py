"""Pollers that are wrong on purpose, one for each row in which engines differ: the probes must convict them.

Each is an engine's own poller with one small change. The row's probe is the one that has to convict.
"""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from nodes.engines.common.poller import Poller
from nodes.engines.epoll import EpollPoller
from nodes.engines.epoll_edge import EdgePoller
from nodes.engines.epoll_exclusive import ExclusivePoller
from nodes.engines.epoll_oneshot import OneShotPoller
from nodes.engines.poll import PollPoller
from nodes.engines.ppoll import PpollPoller
from nodes.engines.pselect import PselectPoller
from nodes.engines.select_ import SelectPoller
from nodes.probes.common.masks import ERR, HUP, IN, NVAL, OUT, PRI, RDHUP
from nodes.probes.common.subject import Subject

Events = list[tuple[int, int]]


class TellsAnEdgeTwice(EdgePoller):
    """What was told is told again at the next wait."""

    _last: Events = []  # noqa: RUF012

    def wait(self, timeout_ns: int | None) -> Events:
        self._last, told = ([], self._last) if self._last else (found := super().wait(timeout_ns), found)
        return told


class SwallowsRdhup(EpollPoller):
    """Does not say that the peer has shut its side."""

    def wait(self, timeout_ns: int | None) -> Events:
        return without(RDHUP, super().wait(timeout_ns))


class TellsAnEndOnce(EpollPoller):
    """An end that was told with the last data is not told again."""

    _ended: frozenset[int] = frozenset()

    def wait(self, timeout_ns: int | None) -> Events:
        found = [(fd, mask) for fd, mask in super().wait(timeout_ns) if fd not in self._ended]
        self._ended |= {fd for fd, mask in found if mask & RDHUP}
        return found


class ForgetsAnEdge(EdgePoller):
    """Takes an edge with the bits of the last one for that one."""

    _last: Events = []  # noqa: RUF012

    def wait(self, timeout_ns: int | None) -> Events:
        self._last, last = super().wait(timeout_ns) or self._last, self._last
        return [event for event in self._last if event not in last]


class SwallowsErr(EpollPoller):
    """Does not say that there is an error."""

    def wait(self, timeout_ns: int | None) -> Events:
        return without(ERR, super().wait(timeout_ns))


class HidesDataBehindAnError(PollPoller):
    """Where there is an error, nothing is there to be read."""

    def wait(self, timeout_ns: int | None) -> Events:
        return [(fd, mask & ~IN if mask & ERR else mask) for fd, mask in super().wait(timeout_ns)]


class TakesTheError(EpollPoller):
    """Looks at SO_ERROR, which clears it."""

    def wait(self, timeout_ns: int | None) -> Events:
        found = super().wait(timeout_ns)
        for fd, mask in found:
            if mask & ERR:
                with socket.socket(fileno=os.dup(fd)) as looked_at:
                    looked_at.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return found


class SilentBeforeConnect(PollPoller):
    """Writable and hung up at once it takes for nothing."""

    def wait(self, timeout_ns: int | None) -> Events:
        return [(fd, mask) for fd, mask in super().wait(timeout_ns) if mask != OUT | HUP]


class TellsRoomOnce(PollPoller):
    """That there is room to write is told once."""

    _told: frozenset[int] = frozenset()

    def wait(self, timeout_ns: int | None) -> Events:
        found = [(fd, mask) for fd, mask in super().wait(timeout_ns) if not (mask == OUT and fd in self._told)]
        self._told |= {fd for fd, mask in found if mask == OUT}
        return found


class SwallowsNval(PollPoller):
    """Passes over a descriptor that is not open."""

    def wait(self, timeout_ns: int | None) -> Events:
        return without(NVAL, super().wait(timeout_ns))


class ForgetsTheDead(EpollPoller):
    """Tells of numbers that are open alone."""

    def wait(self, timeout_ns: int | None) -> Events:
        return [(fd, mask) for fd, mask in super().wait(timeout_ns) if opened(fd)]


class OneEventANumber(EpollPoller):
    """Two registrations of one number are told as one."""

    def wait(self, timeout_ns: int | None) -> Events:
        return list(dict(super().wait(timeout_ns)).items())


class ReArmsItself(OneShotPoller):
    """What was told is asked for anew at once."""

    def __init__(self) -> None:
        super().__init__()
        self._interests: dict[int, int] = {}
        register = self.register

        def remembering(fd: int, interest: int) -> None:
            self._interests[fd] = interest
            register(fd, interest)

        self.register = remembering

    def wait(self, timeout_ns: int | None) -> Events:
        found = super().wait(timeout_ns)
        for fd, _ in found:
            if opened(fd):
                self.modify(fd, self._interests[fd])
        return found


class FirstAlone(EpollPoller):
    """Where there is not room for all, the first ones are told again and again."""

    def some(self, most: int, timeout_ns: int) -> Events:
        return sorted(self.wait(timeout_ns))[:most]


class WaitsOn(PselectPoller):
    """After a signal it goes on to wait."""

    def wait(self, timeout_ns: int | None) -> Events:
        end = None if timeout_ns is None else time.monotonic_ns() + timeout_ns
        while True:
            left = None if end is None else max(0, end - time.monotonic_ns())
            if (found := super().wait(left)) or left == 0:
                return found


class RoundsUp(PpollPoller):
    """Whole milliseconds."""

    def wait(self, timeout_ns: int | None) -> Events:
        return super().wait(None if timeout_ns is None else -(-timeout_ns // 1_000_000) * 1_000_000)


class TakesUrgentForReadable(SelectPoller):
    """What is exceptional it says to be readable."""

    def wait(self, timeout_ns: int | None) -> Events:
        return [(fd, mask & ~PRI | IN if mask & PRI else mask) for fd, mask in super().wait(timeout_ns)]


class TellsOneAlone(SelectPoller):
    """Of several that are ready only the first is told."""

    def wait(self, timeout_ns: int | None) -> Events:
        return super().wait(timeout_ns)[:1]


class PeeksFirst(PollPoller):
    """What cannot be received from it does not say to be readable: a listener."""

    def wait(self, timeout_ns: int | None) -> Events:
        return [(fd, mask) for fd, mask in super().wait(timeout_ns) if mask != IN or receivable(fd)]


class MaskNotAtomic(PpollPoller):
    """Lets signals in before it waits, by a call of its own."""

    def wait(self, timeout_ns: int | None) -> Events:
        self._held.release()
        return super().wait(timeout_ns)


class TakesNoFiles(PollPoller):
    """Refuses a regular file, as epoll does."""

    def __init__(self) -> None:
        super().__init__()
        register = self.register

        def refusing(fd: int, interest: int) -> None:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                raise PermissionError(1, "a regular file")
            register(fd, interest)

        self.register: Any = refusing


class CopiesItsInterest(EpollPoller):
    """A child that was forked takes nothing from its parent."""

    def __init__(self) -> None:
        super().__init__()
        owner, unregister = os.getpid(), self.unregister
        self.unregister: Any = lambda fd: unregister(fd) if os.getpid() == owner else None


class SpreadsErrors(PollPoller):
    """Where one has an error, all that are watched are told of it."""

    def __init__(self) -> None:
        super().__init__()
        register = self.register
        self._watched: list[int] = []

        def remembering(fd: int, interest: int) -> None:
            self._watched.append(fd)
            register(fd, interest)

        self.register: Any = remembering

    def wait(self, timeout_ns: int | None) -> Events:
        found = super().wait(timeout_ns)
        if any(mask & ERR for _, mask in found):
            found = [*found, *((fd, ERR) for fd in self._watched)]
        return found


class NotExclusive(ExclusivePoller):
    """Watches like everybody else."""

    def __init__(self) -> None:
        super().__init__()
        self.register = self._epoll.register


class Broken(NamedTuple):
    """`probe`: the one that has to convict it."""

    engine: str
    probe: str
    poller: type[Poller]

    @property
    def about(self) -> str:
        return str(self.poller.__doc__)

    def subject(self) -> Subject:
        return Subject(self.engine, self.poller)


BROKEN: Mapping[str, Broken] = MappingProxyType(
    {
        "tells-an-edge-twice": Broken("epoll_edge", "undrained", TellsAnEdgeTwice),
        "swallows-rdhup": Broken("epoll", "half-close", SwallowsRdhup),
        "tells-an-end-once": Broken("epoll", "data-then-end", TellsAnEndOnce),
        "forgets-an-edge": Broken("epoll_edge", "own-half-close", ForgetsAnEdge),
        "swallows-err": Broken("epoll", "reset", SwallowsErr),
        "hides-data-behind-an-error": Broken("poll", "data-then-reset", HidesDataBehindAnError),
        "takes-the-error": Broken("epoll", "refused", TakesTheError),
        "silent-before-connect": Broken("poll", "never-connected", SilentBeforeConnect),
        "tells-room-once": Broken("poll", "buffer-drains", TellsRoomOnce),
        "swallows-nval": Broken("poll", "closed", SwallowsNval),
        "forgets-the-dead": Broken("epoll", "closed-dup-open", ForgetsTheDead),
        "spreads-errors": Broken("poll", "lost-peer", SpreadsErrors),
        "not-exclusive": Broken("epoll_exclusive", "herd", NotExclusive),
        "one-event-a-number": Broken("epoll", "number-reused", OneEventANumber),
        "re-arms-itself": Broken("epoll_oneshot", "one-shot", ReArmsItself),
        "first-alone": Broken("epoll", "room-for-three", FirstAlone),
        "waits-on": Broken("pselect", "signal-in-wait", WaitsOn),
        "rounds-up": Broken("ppoll", "short-timeout", RoundsUp),
        "takes-urgent-for-readable": Broken("select", "urgent", TakesUrgentForReadable),
        "tells-one-alone": Broken("select", "backlog", TellsOneAlone),
        "peeks-first": Broken("poll", "reset-before-accept", PeeksFirst),
        "mask-not-atomic": Broken("ppoll", "atomic-mask", MaskNotAtomic),
        "takes-no-files": Broken("poll", "regular-file", TakesNoFiles),
        "copies-its-interest": Broken("epoll", "forked-removal", CopiesItsInterest),
    }
)


def without(bit: int, events: Events) -> Events:
    """Nothing is told of what has no other bit."""
    return [(fd, mask & ~bit) for fd, mask in events if mask & ~bit]


def opened(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def receivable(fd: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(fd)) as looked_at:
            looked_at.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return False
    return True
