"""The readiness driver as the guest of an event loop with asyncio's interface, which calls it when its turn is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from nodes.engines.common.poller import READABLE, WRITABLE, Trigger
from nodes.engines.common.readiness import Driver


class LoopPoller:
    """`add_reader` and `add_writer`. It says no more than readable and writable: what failed is both.

    Nobody waits here. What is ready is collected, and then `turn` called once, by the loop.
    """

    trigger = Trigger.LEVEL
    tells_end = False
    new_loop: ClassVar[Callable[[], asyncio.AbstractEventLoop]]

    def __init__(self) -> None:
        self.loop = loop = type(self).new_loop()
        self.turn: Callable[[], Any] = loop.stop
        self.close = loop.close
        self._interests: dict[int, int] = {}
        self._ready: dict[int, int] = {}
        self._due = False

    def register(self, fd: int, interest: int) -> None:
        self._interests[fd] = 0
        self.modify(fd, interest)

    def modify(self, fd: int, interest: int) -> None:
        changed, self._interests[fd] = self._interests[fd] ^ interest, interest
        if changed & READABLE:
            if interest & READABLE:
                self.loop.add_reader(fd, partial(self._event, fd, READABLE))
            else:
                self.loop.remove_reader(fd)
        if changed & WRITABLE:
            if interest & WRITABLE:
                self.loop.add_writer(fd, partial(self._event, fd, WRITABLE))
            else:
                self.loop.remove_writer(fd)

    def unregister(self, fd: int) -> None:
        self.modify(fd, 0)
        del self._interests[fd]

    def _event(self, fd: int, mask: int) -> None:
        self._ready[fd] = self._ready.get(fd, 0) | mask
        self.schedule()

    def schedule(self) -> None:
        if not self._due:
            self._due = True
            self.loop.call_soon(self.turn)

    def wait(self, _timeout_ns: int | None) -> list[tuple[int, int]]:
        """What came since the last turn."""
        self._due = False
        ready, self._ready = self._ready, {}
        return list(ready.items())


class EventLoopDriver(Driver):
    """An engine made of such a poller."""

    _poller: LoopPoller

    def _loop(self) -> None:
        self._ended_by: BaseException | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._poller.turn = self._turn
        self._poller.schedule()
        self._poller.loop.run_forever()
        if self._ended_by is not None:
            raise self._ended_by

    def _turn(self) -> None:
        """What is ready, what is late, and each task that can go on, once. A loop that is to stop may take one more."""
        if self._ended_by is not None:
            return
        try:
            for fd, mask in self._poller.wait(0):
                if (endpoint := self._endpoints.get(fd)) is not None:  # else closed earlier in this turn
                    self._notice(endpoint, mask)
            self._fire_timers()
            for _ in range(len(self._ready)):
                self._step(*self._ready.popleft())
            self._plan()
        except BaseException as error:
            self._ended_by = error
            self._poller.loop.stop()

    def _plan(self) -> None:
        """The next turn, if no event comes before it."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._ready:
            self._poller.schedule()
        elif (patience := self._patience()) is not None:
            self._alarm = self._poller.loop.call_later(patience / 1e9, self._poller.schedule)
