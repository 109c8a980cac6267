"""PURE: the evidence of one run, as a backend collects it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nodes.wire.record import Record
from orchestrator.history.clocks import Clock
from orchestrator.history.merged import History, Ledger, merge


class CollectedJournal(NamedTuple):
    """One epoch's journal; `killed` if a signal ended the epoch, so that its last record may be missing."""

    path: Path | None
    killed: bool
    records: list[Record]


class Collected(NamedTuple):
    """The evidence of one run: journals by (process name, epoch), the orchestrator's among them, and ledgers.

    A ledger is named after its node; an archived one, "server.1.archived", in the order of archiving. `clocks` are
    those of other clock domains than the orchestrator's.
    """

    journals: dict[tuple[str, int], CollectedJournal]
    ledgers: list[Ledger]
    clocks: tuple[Clock, ...] = ()

    def history(self) -> History:
        """Of all of it. Raises HistoryError."""
        records = {process: journal.records for process, journal in self.journals.items()}
        return merge(records, self.ledgers, self.clocks)
