"""What a program is given to say what it did, and to die at a named place. Neither is an operation.

A witness is called by programs, and so between two yields: one call at a time in a node.
"""

from __future__ import annotations

import os

from nodes.dying import act_on_oneself
from nodes.failpoints import Failpoints
from nodes.journal import JournalWriter
from nodes.wire.record import Kind, Note

FIRED_LINE = "fired"


class RealWitness:
    """Writes to the journal, and dies or stops where it is told to."""

    __slots__ = ("_close_to_others", "_failpoints", "_names", "_node", "note")

    def __init__(self, journal: JournalWriter, failpoints: Failpoints) -> None:
        self.note: Note = journal.note
        self._failpoints = failpoints
        self._names = failpoints.names
        self._node = os.getpid()
        self._close_to_others = journal.close_to_others

    def close_to_others(self) -> None:
        """From now on no other of the node's processes writes a line."""
        self._close_to_others()

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        if name not in self._names:  # the common case, on the path of every call
            return
        fired = self._failpoints.passage(name, client, seq, attempt)
        if fired is not None:
            self._close_to_others()
            self.note(Kind.FAILPOINT, client, seq, attempt, detail=fired.detail)
            # Standard output is all that still goes out: whoever started this process reads there what befell it.
            os.write(1, f"{FIRED_LINE} {fired.fault}\n".encode())
            act_on_oneself(fired.act, self._node)
