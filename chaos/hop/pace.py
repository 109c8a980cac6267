"""PURE: the slow path that a rate makes of a link's direction: one message after another, and a queue in front."""

from __future__ import annotations

from nodes.units import SECOND

QUEUE = 256 * 1024
"""Bytes that wait in front of a slow path. Over a stream, whoever then sends more is not read until half is gone."""


class Pace:
    """Of one rule in one direction. `paused` are the connections that are not read."""

    def __init__(self, bytes_per_second: int) -> None:
        self.paused: set[int] = set()
        self._rate = bytes_per_second
        self._free = 0
        self._waiting = 0

    @property
    def full(self) -> bool:
        return self._waiting > QUEUE

    def enter(self, size: int, now: int) -> int:
        """-> when a message of that size has gone through, in nanoseconds."""
        self._waiting += size
        self._free = max(now, self._free) + size * SECOND // self._rate
        return self._free

    def leave(self, size: int) -> list[int]:
        """A message has gone -> the connections to be read again."""
        self._waiting -= size
        if not self.paused or self._waiting > QUEUE // 2:
            return []
        woken = sorted(self.paused)
        self.paused.clear()
        return woken
