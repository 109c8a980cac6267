"""The journal's file: written at once, one per epoch, read with the right amount of mistrust."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nodes.journal import JournalError, JournalWriter, read
from nodes.wire.record import SCHEMA, Kind, Record, encode


def test_a_record_is_in_the_file_before_note_returns(tmp_path: Path) -> None:
    path = tmp_path / "server.1.journal"
    journal = JournalWriter(path, lambda: 7)
    journal.note(Kind.EXECUTE, 10101, 5, 1, 2, {"intent": 9})
    assert read(path, killed=False) == [Record(7, Kind.EXECUTE, 10101, 5, 1, 2, {"intent": 9})]
    journal.close()


def test_a_journal_is_not_inherited_by_child_processes(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path / "a.journal", lambda: 7)
    assert not os.get_inheritable(journal._descriptor)
    journal.close()


def test_an_epoch_never_writes_to_a_journal_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "server.1.journal"
    JournalWriter(path, lambda: 7).close()
    with pytest.raises(JournalError, match=r"server\.1\.journal: exists already"):
        JournalWriter(path, lambda: 7)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="is its folder there"):
        JournalWriter(tmp_path / "nowhere" / "a.journal", lambda: 7)


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
    journal = JournalWriter(path, lambda: 7)
    descriptor = os.open("/dev/full", os.O_WRONLY)
    os.dup2(descriptor, journal._descriptor)
    os.close(descriptor)
    for _ in range(2):
        with pytest.raises(JournalError, match=r"a\.journal: cannot be written \(No space left on device\)"):
            journal.note(Kind.READY)
    journal.close()


def test_a_record_that_was_taken_in_part_is_taken_back(tmp_path: Path) -> None:
    """A process of its own, whose files may have so many bytes (setrlimit(2)); then nothing more is believed of it."""
    path = tmp_path / "a.journal"
    whole = encode(1, Kind.READY, 0, 0, 0, 0, None)
    done = subprocess.run(
        [sys.executable, "-I", "-c", LIMITED, str(path), str(len(whole) + 3)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.count(f"{path}: cannot be written (a record was taken only in part)") == 2, done
    assert read(path, killed=False) == [Record(1, Kind.READY, 0, 0, 0, 0, None)]


LIMITED = """
import resource, sys
from pathlib import Path
from nodes.journal import JournalError, JournalWriter
from nodes.wire.record import Kind
journal = JournalWriter(Path(sys.argv[1]), lambda: 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
journal.note( Kind.READY)
for lifted in (False, True):
    if lifted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        journal.note( Kind.READY)
    except JournalError as error:
        print(error)
"""
