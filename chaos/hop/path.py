"""PURE: one client's way through the hop: a TCP connection, or over UDP a client's address."""

from __future__ import annotations

from collections.abc import Callable

from chaos.framers import Framers
from chaos.identity import Direction


class Path:
    """`open`: whether bytes may still be forwarded in that direction. `chunks` numbers what has no identity, and
    `unidentified` has the directions in which nothing has one any more."""

    __slots__ = ("chunks", "connection", "framers", "open", "unidentified")

    def __init__(self, connection: int, framers: Callable[[], Framers]) -> None:
        self.connection = connection
        self.framers = framers()
        self.open: dict[Direction, bool] = {"request": True, "reply": True}
        self.chunks: dict[Direction, int] = {"request": 0, "reply": 0}
        self.unidentified: set[Direction] = set()

    @property
    def over(self) -> bool:
        return not (self.open["request"] or self.open["reply"])

    def close(self) -> None:
        self.open["request"] = self.open["reply"] = False
