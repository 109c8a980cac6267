"""PURE: what a hop keeps back: messages that wait for an event, and messages that wait for a time."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from heapq import heappop, heappush
from typing import NamedTuple

from chaos.decide import Chunk, Key
from chaos.faults import Direction
from chaos.framers import Message
from chaos.hop.path import Path


class Awaits(Enum):
    """The event that lets a kept message go on. Heal lets every one go."""

    TIME = "its due time"
    RELEASE = "the release of its rule"
    NEXT = "the same client's next message in its direction"
    REPLY = "the first reply to its operation"
    TRIM = "a request of its client whose first-incomplete is above it"
    EPOCH = "a later epoch of the upstream"


class Kept(NamedTuple):
    """`key` and `act` are what is journalled when it goes; `epoch` is the upstream's at the decision."""

    message: Message
    path: Path
    key: Key | Chunk
    rule: int
    act: str
    awaits: Awaits
    epoch: int


class Closing(NamedTuple):
    """The end of a direction, queued behind the messages that the rate holds back."""

    path: Path
    direction: Direction
    rule: int


class Shelf:
    """Messages that wait for an event, in the order of their arrival."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, kept: Kept) -> None:
        self._kept.append(kept)

    def take(self, due: Callable[[Kept], bool]) -> list[Kept]:
        """Remove and return those that are `due`."""
        if not self._kept:
            return []
        taken = [kept for kept in self._kept if due(kept)]
        if taken:
            self._kept = [kept for kept in self._kept if not due(kept)]
        return taken


class Timetable:
    """Messages that wait for a time, in nanoseconds. Those with equal times keep the order they were put in."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Kept | Closing]] = []
        self._count = 0

    def __len__(self) -> int:
        return sum(isinstance(item, Kept) for _, _, item in self._entries)

    def put(self, due: int, item: Kept | Closing) -> None:
        self._count += 1
        heappush(self._entries, (due, self._count, item))

    def next_time(self) -> int | None:
        return self._entries[0][0] if self._entries else None

    def take(self, now: int) -> list[Kept | Closing]:
        """Remove and return what is due at `now`, in the order of the due times."""
        taken: list[Kept | Closing] = []
        while self._entries and self._entries[0][0] <= now:
            taken.append(heappop(self._entries)[2])
        return taken

    def take_rule(self, rule: int) -> list[Kept | Closing]:
        """Remove and return what `rule` put here, in the order of the due times."""
        taken = sorted(entry for entry in self._entries if entry[2].rule == rule)
        self._entries = sorted(entry for entry in self._entries if entry[2].rule != rule)
        return [item for _, _, item in taken]

    def take_all(self) -> list[Kept | Closing]:
        """Remove and return everything, in the order of the due times."""
        taken = sorted(self._entries)
        self._entries = []
        return [item for _, _, item in taken]

    def last(self, path: Path, direction: Direction, act: str) -> tuple[int, int] | None:
        """(due time, rule) of the last message of `path` in `direction` that waits here by `act`."""
        waiting = [
            (due, order, item.rule)
            for due, order, item in self._entries
            if isinstance(item, Kept) and (item.path, item.message.direction, item.act) == (path, direction, act)
        ]
        if not waiting:
            return None
        due, _, rule = max(waiting)
        return due, rule
