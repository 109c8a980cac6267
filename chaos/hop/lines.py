"""PURE: what waits behind a message that goes on in pieces: all that follows it on its stream."""

from __future__ import annotations

from chaos.framers import Message
from chaos.hop.kept import COST, Closing, Kept
from chaos.hop.path import Path
from chaos.identity import Direction

Waiting = Message | Kept | Closing
"""A message that came since and is not decided about, one that was kept back and may go on, the end of the stream."""


class Lines:
    """One for each direction of a stream in which a message is under way: `open`, by connection and direction. `cost`
    is what waits in them, in bytes."""

    def __init__(self) -> None:
        self.cost = 0
        self.open: dict[tuple[int, Direction], list[Waiting]] = {}

    def __len__(self) -> int:
        """Messages that wait."""
        return sum(not isinstance(item, Closing) for line in self.open.values() for item in line)

    def begin(self, path: Path, direction: Direction) -> None:
        self.open[path.connection, direction] = []

    def put(self, path: Path, direction: Direction, item: Waiting) -> bool:
        """-> whether it has to wait, and does."""
        line = self.open.get((path.connection, direction))
        if line is None:
            return False
        line.append(item)
        self.cost += _cost(item)
        return True

    def end(self, path: Path, direction: Direction) -> list[Waiting]:
        """The message has gone -> what waited, in the order in which it came."""
        line = self.open.pop((path.connection, direction))
        self.cost -= sum(map(_cost, line))
        return line


def _cost(item: Waiting) -> int:
    return len(item.data) + COST if isinstance(item, Message) else item.cost
