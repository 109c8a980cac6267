"""What a program is given to say what it did, and to die at a named place. Neither is an operation.

A witness is called by programs, and so between two yields: one call at a time in a node.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from nodes.dying import act_on_oneself
from nodes.failpoints import Failpoints
from nodes.journal import JournalWriter
from nodes.wire.record import Kind

FIRED_LINE = "fired"


class RealWitness:
    """Writes to the journal, and dies or stops where it is told to."""

    __slots__ = ("_append", "_clock", "_failpoints", "_names")

    def __init__(self, journal: JournalWriter, failpoints: Failpoints, clock: Callable[[], int]) -> None:
        self._append = journal.append
        self._clock = clock
        self._failpoints = failpoints
        self._names = failpoints.names

    def note(
        self,
        kind: Kind,
        client: int = 0,
        seq: int = 0,
        attempt: int = 0,
        process: int = 0,
        detail: dict[str, Any] | None = None,
    ) -> None:
        self._append(self._clock(), kind, client, seq, attempt, process, detail)

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        if name not in self._names:  # the common case, on the path of every call
            return
        fired = self._failpoints.passage(name, client, seq, attempt)
        if fired is not None:
            self.note(Kind.FAILPOINT, client, seq, attempt, detail=fired.detail)
            # Standard output is all that still goes out: whoever started this process reads there what befell it.
            os.write(1, f"{FIRED_LINE} {fired.fault}\n".encode())
            act_on_oneself(fired.act)
