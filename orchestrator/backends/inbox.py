"""What other threads and signal handlers have for one thread, in the order in which it came.

Not queue.SimpleQueue: CPython's `get(timeout=...)` waits for ever if its time passes between two of its steps, since
what is left is below 0 then, and that stands for no limit (Modules/_queuemodule.c, seen with 3.11.7). Nor queue.Queue,
which a signal handler must not put into while the same thread takes something out.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Nothing(Exception):
    """Nothing came in time."""


class Inbox(Generic[T]):
    """For one thread that takes; anybody may put."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._bell = Lock()
        """Free while there may be something that nobody took."""
        self._bell.acquire()

    def put(self, item: T) -> None:
        self._items.append(item)
        try:
            self._bell.release()
        except RuntimeError:
            pass  # it is free already

    def get(self, timeout: float | None = None) -> T:
        """The next one. Raises Nothing after `timeout` seconds; None waits for ever."""
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            try:
                return self._items.popleft()
            except IndexError:
                self._await(deadline)

    def _await(self, deadline: float | None) -> None:
        if deadline is None:
            self._bell.acquire()
            return
        left = deadline - monotonic()
        if left <= 0:
            raise Nothing
        self._bell.acquire(timeout=left)
