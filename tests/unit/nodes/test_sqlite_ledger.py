"""The SQLite ledger's file: opened, refused, archived, read after its node is gone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from nodes.ledger import EffectRow, Fenced, LedgerError
from nodes.ops import Effect, Transaction
from nodes.sqlite_ledger import SqliteLedger, archive, read_effects, read_state


class Nothing:
    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        """Nothing is armed."""


def put(ledger: SqliteLedger, seq: int) -> None:
    ledger.commit(Transaction((1, seq, 1), {"total": seq}, Effect(1, seq, seq, 1, seq), None), Nothing())


def test_history_is_never_zero(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "a.ledger", 1, "process", 0)
    assert ledger.history_id == 1
    ledger.close()


@pytest.mark.parametrize(("durability", "level"), [("process", 1), ("power", 2)])
def test_durability_is_sqlite_s_level_in_wal_mode(tmp_path: Path, durability: str, level: int) -> None:
    ledger = SqliteLedger(tmp_path / "a.ledger", 1, durability, 5)  # type: ignore[arg-type]
    assert ledger._execute("PRAGMA synchronous").fetchone() == (level,)
    assert ledger._execute("PRAGMA journal_mode").fetchone() == ("wal",)
    ledger.close()


def test_no_index_keeps_a_second_execution_out(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "a.ledger", 1, "process", 5)
    assert ledger._execute("PRAGMA index_list(effects)").fetchall() == []
    ledger.close()


def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    path.write_bytes(b"not a database at all, " * 100)
    for use in (lambda: SqliteLedger(path, 1, "process", 5), lambda: read_effects(path), lambda: archive(path)):
        with pytest.raises(LedgerError, match=r"a\.ledger: "):
            use()
    assert path.read_bytes() == b"not a database at all, " * 100


def test_somebody_else_s_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE orders (id)")
    other.close()
    with pytest.raises(LedgerError, match="has schema 0"):
        SqliteLedger(path, 1, "process", 5)


def test_a_missing_folder_or_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="is its folder there"):
        SqliteLedger(tmp_path / "nowhere" / "a.ledger", 1, "process", 5)
    for use in (read_effects, read_state, archive):
        with pytest.raises(LedgerError, match=r"a\.ledger: cannot be"):
            use(tmp_path / "a.ledger")
    assert list(tmp_path.iterdir()) == []


def test_what_a_vanished_node_left_is_read_from_its_log(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    ledger = SqliteLedger(path, 1, "process", 5)  # stays open: nothing was folded into the file
    put(ledger, 1)
    assert path.with_name("a.ledger-wal").stat().st_size > 0
    assert read_effects(path) == [EffectRow(1, 1, 1, 1, 1, 1, 1)]
    assert read_state(path) == {"total": 1}
    ledger.close()


def test_archives_are_numbered_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "server.ledger"
    archived = []
    for epoch in (1, 2, 3):
        ledger = SqliteLedger(path, epoch, "process", epoch)
        put(ledger, epoch)
        ledger.close()
        archived.append(archive(path))
    assert [target.name for target in archived] == [f"server.{k}.archived.ledger" for k in (1, 2, 3)]
    assert [[row.seq for row in read_effects(target)] for target in archived] == [[1], [2], [3]]
    assert not path.exists()


def test_archiving_takes_the_log_of_a_file_that_is_still_open_along(tmp_path: Path) -> None:
    path = tmp_path / "server.ledger"
    held = SqliteLedger(path, 1, "process", 5)
    put(held, 1)
    target = archive(path)
    assert [row.seq for row in read_effects(target)] == [1]
    assert [name for name in tmp_path.iterdir() if not name.name.startswith(target.name)] == []
    held.close()


def test_an_epoch_that_was_overtaken_may_not_open_again(tmp_path: Path) -> None:
    path = tmp_path / "a.ledger"
    SqliteLedger(path, 2, "process", 5).close()
    with pytest.raises(Fenced, match="epoch 2 has taken over"):
        SqliteLedger(path, 1, "process", 5)
