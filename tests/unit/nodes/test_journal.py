"""The journal's file: written at once, one per epoch, read with the right amount of mistrust."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nodes.journal import JournalError, JournalWriter, read
from nodes.wire.record import SCHEMA, Kind, Record, encode


def test_a_record_is_in_the_file_before_append_returns(tmp_path: Path) -> None:
    path = tmp_path / "server.1.journal"
    journal = JournalWriter(path)
    journal.append(7, Kind.EXECUTE, 10101, 5, 1, 2, {"intent": 9})
    assert read(path, killed=False) == [Record(7, Kind.EXECUTE, 10101, 5, 1, 2, {"intent": 9})]
    journal.close()


def test_a_journal_is_not_inherited_by_child_processes(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path / "a.journal")
    assert not os.get_inheritable(journal._descriptor)
    journal.close()


def test_an_epoch_never_writes_to_a_journal_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "server.1.journal"
    JournalWriter(path).close()
    with pytest.raises(JournalError, match=r"server\.1\.journal: exists already"):
        JournalWriter(path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="is its folder there"):
        JournalWriter(tmp_path / "nowhere" / "a.journal")


def test_a_torn_end_is_legal_only_in_an_epoch_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    line = encode(1, Kind.READY, 0, 0, 0, 0, None)
    path.write_bytes(line + line[:-2])
    assert len(read(path, killed=True)) == 1
    with pytest.raises(JournalError, match=r"a\.journal: byte \d+: .* was not killed"):
        read(path, killed=False)


@pytest.mark.parametrize("killed", [True, False])
def test_damage_is_refused_whether_or_not_it_was_killed(tmp_path: Path, killed: bool) -> None:
    path = tmp_path / "a.journal"
    line = bytearray(encode(1, Kind.READY, 0, 0, 0, 0, None))
    line[-1] ^= 1
    path.write_bytes(bytes(line) + encode(2, Kind.STOP, 0, 0, 0, 0, None))
    with pytest.raises(JournalError, match="byte 0: the checksum does not match"):
        read(path, killed)


def test_a_journal_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"a\.journal: cannot be read .* did the process start"):
        read(tmp_path / "a.journal", killed=True)


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(encode(1, Kind.START, 0, 0, 0, 0, {"schema": SCHEMA + 1}))
    with pytest.raises(JournalError, match=f"has schema {SCHEMA + 1}"):
        read(path, killed=False)


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    path = tmp_path / "a.journal"
    journal = JournalWriter(path)
    descriptor = os.open("/dev/full", os.O_WRONLY)
    os.dup2(descriptor, journal._descriptor)
    os.close(descriptor)
    with pytest.raises(JournalError, match=r"a\.journal: no record can be written: No space left"):
        journal.append(1, Kind.READY)
    journal.close()
