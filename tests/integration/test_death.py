"""Real SIGKILL and SIGSTOP at a failpoint: what the journal and the ledger then say agrees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nodes.journal import read
from nodes.ledger import Fenced
from nodes.sqlite_ledger import SqliteLedger, read_effects, read_state
from nodes.wire.record import Kind

DYING = Path(__file__).with_name("dying.py")
COMMITTED = {"before-first-write": 2, "between-writes": 2, "before-commit": 2, "after-commit": 3}


def start(home: Path, name: str, act: str, *rest: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-I", str(DYING), str(home), "1", name, act, *rest])


@pytest.mark.parametrize("place", ["main", "thread"])
@pytest.mark.parametrize("name", COMMITTED)
def test_killed_at_a_failpoint(tmp_path: Path, name: str, place: str) -> None:
    process = start(tmp_path, name, "die", *(["thread"] if place == "thread" else []))
    assert process.wait() == -signal.SIGKILL
    records = read(tmp_path / "server.1.journal", killed=True)
    assert records[-1].kind is Kind.FAILPOINT  # nothing was done after it
    assert records[-1].detail == {"name": name, "fault": 0, "act": "die"}
    assert (records[-1].client, records[-1].seq, records[-1].attempt) == (10101, 3, 1)
    path = tmp_path / "server.ledger"
    committed = COMMITTED[name]
    assert [row.seq for row in read_effects(path)] == list(range(1, committed + 1))
    assert read_state(path) == {"total": committed}
    journalled = [record.seq for record in records if record.kind is Kind.COMMIT]
    assert journalled == [1, 2]  # a journalled commit has its effect, also where the death came directly after COMMIT
    successor = SqliteLedger(path, 2, "process", 88)
    assert successor.history_id == 77
    assert [record.seq for record in successor.records()] == [committed]
    successor.close()


@pytest.mark.parametrize("place", ["main", "thread"])
def test_stopped_at_a_failpoint_it_goes_on_when_continued(tmp_path: Path, place: str) -> None:
    process = start(tmp_path, "after-commit", "stop", *(["thread"] if place == "thread" else []))
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    try:
        assert os.WIFSTOPPED(status)
        stopped_with = read(tmp_path / "server.1.journal", killed=False)
        assert stopped_with[-1].kind is Kind.FAILPOINT
        assert len(read_effects(tmp_path / "server.ledger")) == 3
    finally:
        process.send_signal(signal.SIGCONT)
    assert process.wait() == 0
    records = read(tmp_path / "server.1.journal", killed=False)
    assert records[-1].kind is Kind.STOP
    assert len([record for record in records if record.kind is Kind.FAILPOINT]) == 1


def test_a_stopped_predecessor_is_fenced_when_it_comes_back(tmp_path: Path) -> None:
    process = start(tmp_path, "after-commit", "stop")
    os.waitpid(process.pid, os.WUNTRACED)
    try:
        successor = SqliteLedger(tmp_path / "server.ledger", 2, "process", 88)
        successor.close()
    finally:
        process.send_signal(signal.SIGCONT)
    assert process.wait() == 1  # Fenced, uncaught
    assert [row.seq for row in read_effects(tmp_path / "server.ledger")] == [1, 2, 3]
    with pytest.raises(Fenced):
        SqliteLedger(tmp_path / "server.ledger", 1, "process", 99)


def test_killed_by_somebody_else_leaves_a_readable_journal_and_a_consistent_ledger(tmp_path: Path) -> None:
    process = start(tmp_path, "before-commit", "stop")
    os.waitpid(process.pid, os.WUNTRACED)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert read(tmp_path / "server.1.journal", killed=True)[-1].kind is Kind.FAILPOINT
    assert [row.seq for row in read_effects(tmp_path / "server.ledger")] == [1, 2]
