"""A listening socket on the loop. Where the system has nothing left for a connection, it rests instead of spinning."""

from __future__ import annotations

import socket
from collections.abc import Callable

from chaos.planes.loop import READ, Loop
from nodes.accepting import EXHAUSTED, PAUSE
from nodes.clock import now

ROUND = 64
"""Connections that are accepted before others have their turn."""


class Listening:
    """Hands every connection to `accepted`; `resting` is told each time that it has to rest."""

    def __init__(
        self,
        loop: Loop,
        listener: socket.socket,
        accepted: Callable[[socket.socket], None],
        resting: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._listener = listener
        self._accepted = accepted
        self._resting = resting
        self._again: int | None = None
        self._closed = False
        listener.setblocking(False)
        loop.watch(listener, READ, self._ready)
        loop.tickers.append(self)

    def close(self) -> None:
        self._closed = True
        self._loop.tickers.remove(self)
        self._loop.close(self._listener)

    def next_time(self) -> int | None:
        return self._again

    def tick(self, at: int) -> None:
        if self._again is not None and self._again <= at:
            self._again = None
            self._loop.watch(self._listener, READ, self._ready)

    def _ready(self, events: int) -> None:
        for _ in range(ROUND):
            if self._closed:
                return
            try:
                sock, _address = self._listener.accept()
            except OSError as error:  # nobody waits any more, or who waited has gone, or:
                if error.errno in EXHAUSTED:
                    self._rest()
                return
            self._accepted(sock)

    def _rest(self) -> None:
        """The queue stays readable, so whoever watches it would spin."""
        self._loop.watch(self._listener, 0, self._ready)
        self._again = now() + PAUSE
        self._resting()
