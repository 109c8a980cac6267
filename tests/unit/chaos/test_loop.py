"""The relay's loop: callbacks may close each other's sockets, and times are kept."""

from __future__ import annotations

import socket

from chaos.planes.loop import READ, Loop


def test_a_callback_may_close_a_socket_that_is_ready_in_the_same_round() -> None:
    loop = Loop()
    pairs = [socket.socketpair() for _ in range(2)]
    called: list[int] = []

    def ready(number: int) -> None:
        called.append(number)
        loop.close(pairs[1 - number][0])
        loop.stop()

    for number, (ours, theirs) in enumerate(pairs):
        loop.watch(ours, READ, lambda events, number=number: ready(number))  # type: ignore[misc]
        theirs.send(b"x")
    loop.run()
    assert len(called) == 1
    for ours, theirs in pairs:
        loop.close(ours)
        theirs.close()


def test_a_ticker_is_called_when_its_time_has_come() -> None:
    loop = Loop()

    class Once:
        due: int | None = 1
        called_at = 0

        def next_time(self) -> int | None:
            return self.due

        def tick(self, now: int) -> None:
            self.called_at, self.due = now, None
            loop.stop()

    once = Once()
    loop.tickers.append(once)
    loop.run()
    assert once.called_at >= 1
