"""Every ledger against the contract, and the contract against ledgers that break it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import ledger_contract as contract
import pytest

from nodes.ledger import EffectRow, Ledger, Passages
from nodes.memory_ledger import MemoryFile, MemoryLedger
from nodes.ops import Transaction
from nodes.sqlite_ledger import SqliteLedger, archive, read_effects


class SqliteStore:
    """`make` is the class under test; a second opening while the first is open stands for a restart."""

    def __init__(self, path: Path, make: type[SqliteLedger] = SqliteLedger) -> None:
        self._path = path
        self._make = make
        self._random = random.Random(1)

    def open(self, epoch: int) -> Ledger:
        return self._make(self._path, epoch, "process", self._random.getrandbits(64))

    def archive(self) -> list[EffectRow]:
        return read_effects(archive(self._path))


class MemoryStore:
    def __init__(self) -> None:
        self._file = MemoryFile()
        self._random = random.Random(1)

    def open(self, epoch: int) -> Ledger:
        return MemoryLedger(self._file, epoch, lambda: self._random.getrandbits(64))

    def archive(self) -> list[EffectRow]:
        return MemoryLedger(self._file, self._file.epoch, lambda: 1).archive().read_effects()


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_a_ledger_keeps_the_contract(kind: str, check: Callable[[contract.Store], None], tmp_path: Path) -> None:
    check(SqliteStore(tmp_path / "server.ledger") if kind == "sqlite" else MemoryStore())


class RecordApart(SqliteLedger):
    """The reply record in a second transaction: what separates exactly-once from something weaker."""

    def commit(self, transaction: Transaction, witness: Passages) -> int:
        n = super().commit(transaction._replace(record=None), witness)
        super().commit(transaction._replace(effect=None, state=None), witness)
        return n


class EffectOutside(SqliteLedger):
    """Commits before the passages that should be able to prevent it."""

    def commit(self, transaction: Transaction, witness: Passages) -> int:
        seen = contract.Passed()
        n = super().commit(transaction, seen)
        for name in seen.names:
            witness.passage(name, *transaction.identity)
        return n


class Unfenced(SqliteLedger):
    """Two epochs may write."""

    def _fence(self) -> None:
        pass


class KeepsRecords(SqliteLedger):
    """The reply history grows for ever."""

    def commit(self, transaction: Transaction, witness: Passages) -> int:
        record = transaction.record
        return super().commit(transaction._replace(record=record and record._replace(first=0)), witness)


class ForgetsItsOwn(SqliteLedger):
    """What was just written is forgotten, too, if its client has given it up."""

    def commit(self, transaction: Transaction, witness: Passages) -> int:
        n = super().commit(transaction, witness)
        if transaction.record is not None:
            self._execute("DELETE FROM replies WHERE seq < ?", (transaction.record.first,))
        return n


class OneEffectEach(SqliteLedger):
    """A unique index on the operation hides a second execution."""

    def commit(self, transaction: Transaction, witness: Passages) -> int:
        self._execute("CREATE UNIQUE INDEX IF NOT EXISTS one ON effects (client, seq)")
        return super().commit(transaction, witness)


class NewId(SqliteLedger):
    """The history's id does not survive the process."""

    def __init__(self, path: Path, epoch: int, durability: str, random64: int) -> None:
        super().__init__(path, epoch, "process", random64)
        self.history_id = random64


class SameId(SqliteLedger):
    """The id does not tell a new history from the archived one."""

    def __init__(self, path: Path, epoch: int, durability: str, random64: int) -> None:
        super().__init__(path, epoch, "process", 7)


NOT_RAISED = pytest.fail.Exception  # what pytest.raises itself raises


@pytest.mark.parametrize(
    ("broken", "check", "conviction"),
    [
        (RecordApart, contract.a_death_before_commit_leaves_nothing, AssertionError),
        (RecordApart, contract.passages_are_in_the_order_of_writes_with_the_call_s_identity, AssertionError),
        (EffectOutside, contract.a_death_before_commit_leaves_nothing, AssertionError),
        (Unfenced, contract.an_older_epoch_is_fenced, NOT_RAISED),
        (KeepsRecords, contract.records_below_the_client_s_first_are_forgotten, AssertionError),
        (ForgetsItsOwn, contract.a_late_commit_leaves_its_client_known, AssertionError),
        (OneEffectEach, contract.a_second_execution_shows, sqlite3.IntegrityError),
        (NewId, contract.only_a_new_history_has_a_new_id, AssertionError),
        (SameId, contract.only_a_new_history_has_a_new_id, AssertionError),
    ],
)
def test_the_contract_convicts(
    broken: type[SqliteLedger], check: Callable[[contract.Store], None], conviction: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(conviction):
        check(SqliteStore(tmp_path / "server.ledger", broken))
