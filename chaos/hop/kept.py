"""PURE: what a hop keeps back: messages that wait for an event, and messages that wait for a time."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from operator import itemgetter
from typing import NamedTuple

from chaos.decisions import Awaits, Copy, Keep, Slice
from chaos.framers import Message
from chaos.hop.path import Path
from chaos.identity import Chunk, Direction, Key

LARGEST = 64 << 20
"""Bytes that one link keeps back. What a rule would keep beyond that passes, or is lost in front of a slow path."""
COST = 1024
"""Bytes that a kept message costs beside its own: many small ones are a load too."""


class Kept(NamedTuple):
    """`key`, `rule` and the decision's act are what is journalled when it goes; `awaits` lets it go; `epoch` is the
    upstream's at the decision, and `sent` how many bytes of a sliced one have gone."""

    message: Message
    path: Path
    key: Key | Chunk
    rule: int | None
    decision: Copy | Keep | Slice
    awaits: Awaits
    epoch: int
    sent: int = 0

    @property
    def cost(self) -> int:
        return len(self.message.data) + COST

    def is_answered_by(self, reply: Message) -> bool:
        return reply.client is not None and (self.message.client, self.message.seq) == (reply.client, reply.seq)

    def follows(self, passed: Message) -> bool:
        """Whether it waited for `passed` to pass."""
        message = self.message
        if passed.client is None or message.client != passed.client:
            return False
        if self.awaits is Awaits.NEXT:
            return message.direction == passed.direction
        if passed.direction == "request":
            return passed.first is not None and message.seq is not None and passed.first > message.seq
        return False


class Closing(NamedTuple):
    """The end of a direction, queued behind the messages that the rate holds back."""

    path: Path
    direction: Direction
    rule: int | None

    @property
    def cost(self) -> int:
        return 0


Drawer = tuple[Awaits, int | None]
"""What is looked at together: an event, and for those that are a client's own, the client."""


class Shelf:
    """Messages that wait for an event, in the order of their arrival. `cost` is what they cost, in bytes."""

    def __init__(self) -> None:
        self.cost = 0
        self._kept: dict[Drawer, list[tuple[int, Kept]]] = {}
        self._count = 0

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    def put(self, kept: Kept) -> None:
        client = None if kept.awaits in (Awaits.RELEASE, Awaits.EPOCH) else kept.message.client
        self._count += 1
        self._kept.setdefault((kept.awaits, client), []).append((self._count, kept))
        self.cost += kept.cost

    def take(self, due: Callable[[Kept], bool], *drawers: Drawer) -> list[Kept]:
        """Remove and return those in these drawers that are `due`. The others are not looked at."""
        taken: list[tuple[int, Kept]] = []
        for drawer in drawers:
            if drawer in self._kept:
                taken += self._take(due, drawer)
        self.cost -= sum(kept.cost for _, kept in taken)
        return [kept for _, kept in sorted(taken, key=itemgetter(0))]

    def take_all(self) -> list[Kept]:
        """Remove and return all."""
        return self.take(lambda kept: True, *list(self._kept))

    def _take(self, due: Callable[[Kept], bool], drawer: Drawer) -> list[tuple[int, Kept]]:
        taken: list[tuple[int, Kept]] = []
        rest: list[tuple[int, Kept]] = []
        for entry in self._kept.pop(drawer):
            (taken if due(entry[1]) else rest).append(entry)
        if rest:
            self._kept[drawer] = rest
        return taken


class Timetable:
    """Messages that wait for a time, in nanoseconds. Those with equal times keep the order they were put in."""

    def __init__(self) -> None:
        self.cost = 0
        self._entries: list[tuple[int, int, Kept | Closing]] = []
        self._count = 0

    def __len__(self) -> int:
        return sum(isinstance(item, Kept) for _, _, item in self._entries)

    def put(self, due: int, item: Kept | Closing) -> None:
        self._count += 1
        self.cost += item.cost
        heappush(self._entries, (due, self._count, item))

    def next_time(self) -> int | None:
        return self._entries[0][0] if self._entries else None

    def take(self, now: int) -> list[Kept | Closing]:
        """Remove and return what is due at `now`, in the order of the due times."""
        taken: list[Kept | Closing] = []
        while self._entries and self._entries[0][0] <= now:
            taken.append(heappop(self._entries)[2])
        return self._gone(taken)

    def take_turns(self, rule: int) -> list[Kept | Closing]:
        """Remove and return what waits here for its turn by `rule`, in the order of the due times."""
        taken = sorted(entry for entry in self._entries if _turn_of(entry[2], rule))
        self._entries = sorted(entry for entry in self._entries if not _turn_of(entry[2], rule))
        return self._gone([item for _, _, item in taken])

    def take_all(self) -> list[Kept | Closing]:
        """Remove and return everything, in the order of the due times."""
        taken = sorted(self._entries)
        self._entries = []
        return self._gone([item for _, _, item in taken])

    def _gone(self, taken: list[Kept | Closing]) -> list[Kept | Closing]:
        self.cost -= sum(item.cost for item in taken)
        return taken

    def last_turn(self, path: Path, direction: Direction) -> tuple[int, int | None] | None:
        """(due time, rule) of the last message of `path` in `direction` that waits here for its turn."""
        waiting = [
            (due, order, item.rule)
            for due, order, item in self._entries
            if isinstance(item, Kept)
            and (item.path, item.message.direction, item.awaits) == (path, direction, Awaits.TURN)
        ]
        if not waiting:
            return None
        due, _, rule = max(waiting)
        return due, rule


def _turn_of(item: Kept | Closing, rule: int) -> bool:
    return item.rule == rule and (isinstance(item, Closing) or item.awaits is Awaits.TURN)
