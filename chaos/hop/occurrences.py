"""PURE: which copy of a message it is. Rules speak of first copies, so the copies of an operation are counted for as
long as one may still come, and no longer: a long run must not grow."""

from __future__ import annotations

from collections.abc import Callable

from chaos.identity import Direction

REMEMBERED = 256
"""Operations of a client behind its first incomplete one (or, where messages do not tell it, its latest one) whose
copies are counted. What comes later than that was in no connection of a client that waits for its answers."""
LARGEST = 1 << 17
"""Messages of one link of which copies are counted, about 20 MB: enough for a hundred clients at once."""
FORGOTTEN = 0
"""The occurrence of a copy that comes too late to be counted. No rule speaks of it."""


class _Client:
    __slots__ = ("counts", "floor", "sweep_at")

    def __init__(self) -> None:
        self.counts: dict[tuple[Direction, int, int], int] = {}
        self.floor = 0  # the lowest number that is counted
        self.sweep_at = 2 * REMEMBERED


class Occurrences:
    """Counts the copies of identified messages. `cut_off` is told when clients are forgotten to stay within LARGEST."""

    def __init__(self, cut_off: Callable[[], None]) -> None:
        self._cut_off = cut_off
        self._clients: dict[int, _Client] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def count(self, direction: Direction, number: int, seq: int, attempt: int, first: int | None) -> int:
        """-> how many copies of this message of client `number` have come, this one included, or FORGOTTEN."""
        client = self._clients.get(number)
        if client is None:
            client = self._clients[number] = _Client()
        if seq < client.floor:
            return FORGOTTEN
        key, counts = (direction, seq, attempt), client.counts
        if key in counts:
            counts[key] += 1
            return counts[key]
        counts[key] = 1
        self._size += 1
        if seq >= client.sweep_at and direction == "request" and (first is None or first >= client.sweep_at):
            self._sweep(client, seq if first is None or first > seq else first)
        if self._size > LARGEST:
            self._forget_oldest()
        return 1

    def _sweep(self, client: _Client, lowest: int) -> None:
        """Forget what is more than REMEMBERED below; as many come before it is done again, so it costs little."""
        client.floor = lowest - REMEMBERED
        client.sweep_at = lowest + REMEMBERED
        self._size -= len(client.counts)
        client.counts = {key: count for key, count in client.counts.items() if key[1] >= client.floor}
        self._size += len(client.counts)

    def _forget_oldest(self) -> None:
        """The half of the clients that have been known longest: seldom, so that telling it is no flood itself."""
        for number in list(self._clients)[: (len(self._clients) + 1) // 2]:
            self._size -= len(self._clients.pop(number).counts)
        self._cut_off()
