"""What the processes of one node share, where its engine forks: the journal, and which failpoints have fired."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from mmap import mmap
from pathlib import Path
from typing import Any

from nodes.dying import alone
from nodes.journal import JournalWriter


class SharedJournal(JournalWriter):
    """Records of several processes: stamped and written in one order, each whole. A lock ends with who has it."""

    def __init__(self, path: str | Path, clock: Callable[[], int]) -> None:
        super().__init__(path, clock)
        self._node = os.getpid()

    def note(self, *said: Any, **more: Any) -> None:
        with self._locked():
            super().note(*said, **more)

    def close_to_others(self) -> None:
        with self._locked():  # who stands still in the middle of a record would keep the lock
            alone(self._node)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)


def spent(size: int) -> mmap:
    """A byte for each failpoint (nodes/failpoints.py)."""
    return mmap(-1, max(1, size))
