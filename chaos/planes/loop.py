"""One loop over `selectors`: sockets with their callbacks, and whatever has something to do at a time.

Not asyncio: a relay starts for every cell, and importing asyncio takes longer than the rest of its start.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from typing import Protocol

from nodes.clock import now
from nodes.units import SECOND

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE

Ready = Callable[[int], None]


class Ticker(Protocol):
    """Something that waits for times, in nanoseconds of `nodes.clock.now`."""

    def next_time(self) -> int | None: ...

    def tick(self, now: int) -> None: ...


class Loop:
    """Runs callbacks one after another until `stop`."""

    def __init__(self) -> None:
        self.tickers: list[Ticker] = []
        self._selector = selectors.DefaultSelector()
        self._watched: dict[socket.socket, Ready] = {}
        self._stopped = False

    def watch(self, sock: socket.socket, events: int, ready: Ready) -> None:
        """Call `ready` whenever one of `events` (READ, WRITE, their union, or 0 for none) is true of `sock`."""
        if not events:
            self._forget(sock)
        elif sock in self._watched:
            self._selector.modify(sock, events)
            self._watched[sock] = ready
        else:
            self._selector.register(sock, events)
            self._watched[sock] = ready

    def close(self, sock: socket.socket) -> None:
        """Forget `sock` and close it."""
        self._forget(sock)
        sock.close()

    def stop(self) -> None:
        self._stopped = True

    def run(self) -> None:
        while True:
            timeout = self._tick()
            if self._stopped:
                return
            for key, events in self._selector.select(timeout):
                assert isinstance(key.fileobj, socket.socket)
                # An earlier callback of this round may have closed this socket.
                ready = self._watched.get(key.fileobj)
                if ready is not None:
                    ready(events)

    def _forget(self, sock: socket.socket) -> None:
        if self._watched.pop(sock, None) is not None:
            self._selector.unregister(sock)

    def _tick(self) -> float | None:
        """Do what is due -> the seconds until more will be."""
        soonest: int | None = None
        for ticker in self.tickers:
            time = ticker.next_time()
            if time is None:
                continue
            if time <= (at := now()):
                ticker.tick(at)
                time = ticker.next_time()
            if time is not None and (soonest is None or time < soonest):
                soonest = time
        return None if soonest is None else max(0, soonest - now()) / SECOND
