"""The real witness: the record first, and only then the act."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from nodes.failpoints import Failpoint, Failpoints
from nodes.journal import JournalWriter, read
from nodes.wire.record import Kind, Record
from nodes.witness import RealWitness


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.1.journal"


def test_a_note_is_stamped_by_the_given_clock(path: Path) -> None:
    times = iter([11, 12])
    witness = RealWitness(JournalWriter(path, lambda: next(times)), Failpoints())
    witness.note(Kind.EXECUTE, 7, 3, 2, 1, {"intent": 9})
    witness.note(Kind.STOP)
    assert read(path, killed=False) == [
        Record(11, Kind.EXECUTE, 7, 3, 2, 1, {"intent": 9}),
        Record(12, Kind.STOP, 0, 0, 0, 0, None),
    ]


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch, path: Path) -> list[tuple[int, int, list[Record]]]:
    """Instead of dying: (pid, signal, what the journal held)."""
    calls: list[tuple[int, int, list[Record]]] = []

    def kill(pid: int, number: int) -> None:
        calls.append((pid, number, read(path, killed=True)))

    monkeypatch.setattr(os, "kill", kill)
    return calls


def test_a_passage_that_fires_is_journalled_before_the_death(
    path: Path, killed: list[tuple[int, int, list[Record]]]
) -> None:
    armed = [Failpoint("before-commit", 7, 3, fault=2)]
    witness = RealWitness(JournalWriter(path, lambda: 5), Failpoints(armed))
    witness.passage("received", 7, 3, 1)
    witness.passage("before-commit", 7, 2, 1)
    assert killed == []
    witness.passage("before-commit", 7, 3, 1)
    line = Record(5, Kind.FAILPOINT, 7, 3, 1, 0, {"name": "before-commit", "fault": 2, "act": "die"})
    assert killed == [(os.getpid(), signal.SIGKILL, [line])]
