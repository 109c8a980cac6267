"""The ledger of a real node, in a SQLite file; it keeps the rules of nodes/ledger.py.

WAL with synchronous=NORMAL survives the death of the process; FULL survives the machine's (sqlite.org/wal.html).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import msgpack

from nodes.ledger import Durability, EffectRow, Fenced, LedgerError, Passages
from nodes.ops import ReplyRecord, Transaction

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
Rows = TypeVar("Rows")

_CREATE = (
    "CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), history_id BLOB NOT NULL, epoch INTEGER NOT NULL)",
    "CREATE TABLE effects (n INTEGER PRIMARY KEY AUTOINCREMENT, client INTEGER NOT NULL, seq INTEGER NOT NULL,"
    " intent INTEGER NOT NULL, epoch INTEGER NOT NULL, attempt INTEGER NOT NULL, result BLOB NOT NULL)",
    "CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE replies (client INTEGER, seq INTEGER, first INTEGER NOT NULL, result BLOB NOT NULL,"
    " PRIMARY KEY (client, seq)) WITHOUT ROWID",
    f"PRAGMA user_version = {SCHEMA}",
)
_ADD_EFFECT = "INSERT INTO effects (client, seq, intent, epoch, attempt, result) VALUES (?, ?, ?, ?, ?, ?)"
_SET_STATE = "INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)"
_ADD_REPLY = "INSERT OR REPLACE INTO replies (client, seq, first, result) VALUES (?, ?, ?, ?)"
_FORGET_REPLIES = "DELETE FROM replies WHERE client = ? AND seq < ? AND seq <> ?"
"""Never the record that was just written, though it may be of a call that its client has given up: the next epoch knows
by it that there is such a client, and what it may forget."""
_GET_HISTORY = "SELECT history_id FROM meta"
_GET_EPOCH = "SELECT epoch FROM meta"
_TUNING = (  # a commit touches four pages and checksums each: small ones, and a fsync only every thousand commits
    "PRAGMA page_size = 1024",
    "PRAGMA journal_mode = WAL",
    "PRAGMA wal_autocheckpoint = 4096",
)
_SYNCHRONOUS: dict[Durability, str] = {"process": "NORMAL", "power": "FULL"}

_pack = msgpack.Packer(use_bin_type=True).pack


def _unpack(data: bytes) -> Any:
    return msgpack.unpackb(data, strict_map_key=False)


def _signed(number: int) -> int:
    """A 64-bit unsigned number as SQLite can hold it."""
    return number - (1 << 64) if number >> 63 else number


def _unsigned(number: int) -> int:
    return number & ((1 << 64) - 1)


class SqliteLedger:
    """A ledger in one SQLite file over one connection, which the node's lock guards.

    `random64`, uniform in [0, 2**64), becomes the id of a new ledger. Not `fenced` is a negative control, which writes
    on when a later epoch has opened the file. Raises Fenced if one has, and LedgerError if the file cannot be opened
    or is not a ledger of this version.
    """

    def __init__(
        self, path: str | Path, epoch: int, durability: Durability, random64: int, *, fenced: bool = True
    ) -> None:
        self.path = path
        self._fenced = fenced
        self._epoch = epoch
        try:
            self._connection = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise LedgerError(f"{path}: cannot be opened ({error}); is its folder there?") from error
        self._execute = self._connection.execute
        try:
            self.history_id = self._open(durability, random64)
        except sqlite3.Error as error:
            self._connection.close()
            raise LedgerError(f"{path}: is no usable ledger ({error}); archive it or take another path") from error
        except LedgerError:
            self._connection.close()
            raise

    def _open(self, durability: Durability, random64: int) -> int:
        for pragma in _TUNING:
            self._execute(pragma)
        self._execute(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
        self._execute("BEGIN IMMEDIATE")
        try:
            if self._execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                self._create(random64 or 1)  # 0 stands for no history
            _require_schema(self.path, self._connection)
            self._fence()
            self._execute("UPDATE meta SET epoch = ?", (self._epoch,))
            history: bytes = self._execute(_GET_HISTORY).fetchone()[0]
            self._execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return int.from_bytes(history, "big")

    def _create(self, history_id: int) -> None:
        for statement in _CREATE:
            self._execute(statement)
        self._execute("INSERT INTO meta VALUES (1, ?, ?)", (history_id.to_bytes(8, "big"), self._epoch))

    def commit(self, transaction: Transaction, witness: Passages) -> int:
        try:
            return self._commit(transaction, witness)
        except sqlite3.OperationalError as error:
            raise LedgerError(f"{self.path}: a transaction cannot be written ({error}); is the disk full?") from error

    def _commit(self, transaction: Transaction, witness: Passages) -> int:
        client, seq, attempt = transaction.identity
        passage = witness.passage
        execute = self._execute
        execute("BEGIN IMMEDIATE")
        try:
            self._fence()
            passage("before-first-write", client, seq, attempt)
            n = self._write_effect(transaction)
            if transaction.record is not None:
                passage("between-writes", client, seq, attempt)
                self._write_record(transaction.record)
            passage("before-commit", client, seq, attempt)
            execute("COMMIT")
        except BaseException:  # a simulated crash is one, and it must leave nothing behind either
            self._roll_back()
            raise
        passage("after-commit", client, seq, attempt)
        return n

    def _fence(self) -> None:
        newest: int = self._execute(_GET_EPOCH).fetchone()[0]
        if newest > self._epoch and self._fenced:
            raise Fenced(f"{self.path}: epoch {newest} has taken over, epoch {self._epoch} may not write any more")

    def _write_effect(self, transaction: Transaction) -> int:
        n = 0
        effect = transaction.effect
        if effect is not None:
            client, seq, intent, attempt, result = effect
            row = (client, seq, _signed(intent), self._epoch, attempt, _pack(result))
            n = self._execute(_ADD_EFFECT, row).lastrowid or 0
        if transaction.state:
            for key, value in transaction.state.items():
                self._execute(_SET_STATE, (key, _pack(value)))
        return n

    def _write_record(self, record: ReplyRecord) -> None:
        client, seq, first, result = record
        self._execute(_ADD_REPLY, (client, seq, first, _pack(result)))
        self._execute(_FORGET_REPLIES, (client, first, seq))

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._execute("ROLLBACK")

    def state(self) -> dict[str, Any]:
        return _state(self._connection)

    def records(self) -> list[ReplyRecord]:
        rows = self._execute("SELECT client, seq, first, result FROM replies ORDER BY client, seq")
        return [ReplyRecord(client, seq, first, _unpack(result)) for client, seq, first, result in rows]

    def effects(self) -> list[EffectRow]:
        return _effects(self._connection)

    def close(self) -> None:
        """Closing twice is allowed."""
        self._connection.close()


def _require_schema(path: str | Path, connection: sqlite3.Connection) -> None:
    schema = connection.execute("PRAGMA user_version").fetchone()[0]
    if schema != SCHEMA:
        raise LedgerError(f"{path}: has schema {schema}, this version reads {SCHEMA}; is it a ledger?")


def _effects(connection: sqlite3.Connection) -> list[EffectRow]:
    rows = connection.execute("SELECT n, client, seq, intent, epoch, attempt, result FROM effects ORDER BY n")
    return [
        EffectRow(n, client, seq, _unsigned(intent), epoch, attempt, _unpack(result))
        for n, client, seq, intent, epoch, attempt, result in rows
    ]


def _state(connection: sqlite3.Connection) -> dict[str, Any]:
    return {key: _unpack(value) for key, value in connection.execute("SELECT key, value FROM state ORDER BY key")}


def _read(path: Path, query: Callable[[sqlite3.Connection], Rows]) -> Rows:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            _require_schema(path, connection)
            return query(connection)
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: cannot be read as a ledger ({error}); is the disk full?") from error


def read_effects(path: Path) -> list[EffectRow]:
    """-> the effects in the file of a node that is gone, however it ended. Raises LedgerError."""
    return _read(path, _effects)


def read_state(path: Path) -> dict[str, Any]:
    """-> the service's state in the file of a node that is gone. Raises LedgerError."""
    return _read(path, _state)


def read_history_id(path: Path) -> int:
    """-> the history id in the file of a node that is gone. Raises LedgerError."""
    return _read(path, lambda connection: int.from_bytes(connection.execute(_GET_HISTORY).fetchone()[0], "big"))


def archive(path: Path) -> Path:
    """Set a node's ledger aside, so that its next epoch starts without durable state -> NAME.K.archived.ledger.

    The node must be gone. Closing the last connection folds the write-ahead log into the file; should another
    process hold the file open, its -wal and -shm go along. Raises LedgerError.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            _require_schema(path, connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: cannot be archived as a ledger ({error})") from error
    target = _free_name(path)
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(target.with_name(target.name + suffix))
    return target


def _free_name(path: Path) -> Path:
    candidates = (path.with_suffix(f".{k}.archived{path.suffix}") for k in count(1))
    return next(candidate for candidate in candidates if not candidate.exists())
