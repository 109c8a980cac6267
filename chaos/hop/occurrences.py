"""PURE: which copy of a message it is. Rules speak of first copies, so the copies of an operation are counted for as
long as one may still come, and no longer: a long run must not grow."""

from __future__ import annotations

from chaos.faults import Direction

REMEMBERED = 256
"""Operations of a client behind its first incomplete one (or, where messages do not tell it, its latest one) whose
copies are counted. What comes later than that was in no connection of a client that waits for its answers."""
LARGEST = 1 << 17
"""Messages of one link of which copies are counted, about 20 MB: enough for a hundred clients at once."""
FORGOTTEN = 0
"""The occurrence of a copy that comes too late to be counted. No rule speaks of it."""


class _Client:
    __slots__ = ("counts", "floor")

    def __init__(self) -> None:
        self.counts: dict[tuple[Direction, int, int], int] = {}
        self.floor = 0  # the lowest number that is counted


class Occurrences:
    """Counts the copies of identified messages. `cut_off` is how many clients were forgotten to stay within LARGEST."""

    def __init__(self) -> None:
        self.cut_off = 0
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
        key = (direction, seq, attempt)
        count = client.counts[key] = client.counts.get(key, 0) + 1
        if count == 1:
            self._size += 1
            if direction == "request":
                self._sweep(client, (seq if first is None else min(seq, first)) - REMEMBERED)
            if self._size > LARGEST:
                self._forget_oldest()
        return count

    def _sweep(self, client: _Client, floor: int) -> None:
        """Forget what is below `floor`, once it is worth the walk."""
        if floor <= client.floor + REMEMBERED:
            return
        self._size -= len(client.counts)
        client.counts = {key: count for key, count in client.counts.items() if key[1] >= floor}
        client.floor = floor
        self._size += len(client.counts)

    def _forget_oldest(self) -> None:
        """The half of the clients that have been known longest: seldom, so that telling it is no flood itself."""
        for number in list(self._clients)[: (len(self._clients) + 1) // 2]:
            self._size -= len(self._clients.pop(number).counts)
            self.cut_off += 1
