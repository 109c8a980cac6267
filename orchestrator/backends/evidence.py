"""Reading what the processes of a run left in its folder: their journals and ledgers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import count, takewhile
from pathlib import Path

from nodes.journal import journal_name, read
from nodes.sqlite_ledger import read_effects, read_history_id, read_state
from orchestrator.history.collected import CollectedJournal
from orchestrator.history.merged import Ledger

Epoch = tuple[str, int]


def read_journals(
    home: Path, killed: Mapping[Epoch, bool], required: Collection[Epoch]
) -> dict[Epoch, CollectedJournal]:
    """Every journal of `killed`'s epochs. Raises JournalError for one that is damaged, or required and missing.

    An epoch that ended before it was configured has no journal, and nothing to say.
    """
    journals = {}
    for (name, epoch), was_killed in killed.items():
        path = home / journal_name(name, epoch)
        if (name, epoch) in required or path.exists():
            journals[name, epoch] = CollectedJournal(path, was_killed, read(path, was_killed))
    return journals


def read_ledgers(home: Path, names: Iterable[str]) -> list[Ledger]:
    """Every ledger of these nodes, archived ones too. Raises LedgerError."""
    ledgers = []
    for node in names:
        archives = (home / f"{node}.{k}.archived.ledger" for k in count(1))
        ledgers += [_ledger(path, node, archived=True) for path in takewhile(Path.exists, archives)]
        if (current := home / f"{node}.ledger").exists():
            ledgers.append(_ledger(current, node, archived=False))
    return ledgers


def _ledger(path: Path, node: str, archived: bool) -> Ledger:
    name = path.name.removesuffix(".ledger")
    return Ledger(name, node, archived, read_effects(path), read_state(path), read_history_id(path))
