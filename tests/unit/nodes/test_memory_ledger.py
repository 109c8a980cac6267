"""The ledger of simulated nodes."""

from __future__ import annotations

import pytest

from nodes.engines.sim import Crash
from nodes.ledger import EffectRow, Fenced
from nodes.memory_ledger import MemoryFile, MemoryLedger
from nodes.ops import Effect, ReplyRecord, Transaction

PASSAGES = ("before-first-write", "between-writes", "before-commit", "after-commit")


class Witness:
    """Notes what is passed, and crashes at one name."""

    def __init__(self, crash_at: str = "") -> None:
        self.crash_at = crash_at
        self.passed: list[str] = []

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        assert (client, seq, attempt) == (101, 1, 2)
        self.passed.append(name)
        if name == self.crash_at:
            raise Crash(name)


def transaction(seq: int = 1, value: int = 7, first: int = 1, record: bool = True) -> Transaction:
    return Transaction(
        (101, 1, 2),
        {"value": value, "list": (1, 2)},
        Effect(101, seq, 2**63 + 5, 2, [value]),
        ReplyRecord(101, seq, first, [value]) if record else None,
    )


def opened(file: MemoryFile, epoch: int = 1) -> MemoryLedger:
    return MemoryLedger(file, epoch, lambda: 99)


def test_what_was_committed_is_there_in_the_next_epoch() -> None:
    file = MemoryFile()
    witness = Witness()
    assert opened(file).commit(transaction(), witness) == 1
    assert witness.passed == list(PASSAGES)
    ledger = opened(file, 2)
    assert ledger.commit(transaction(seq=2, value=8), Witness()) == 2
    assert ledger.effects() == [EffectRow(1, 101, 1, 2**63 + 5, 1, 2, [7]), EffectRow(2, 101, 2, 2**63 + 5, 2, 2, [8])]
    assert ledger.state() == {"list": [1, 2], "value": 8}
    assert ledger.records() == [ReplyRecord(101, 1, 1, [7]), ReplyRecord(101, 2, 1, [8])]
    assert ledger.history_id == 99


@pytest.mark.parametrize("name", PASSAGES)
def test_a_crash_leaves_all_or_nothing(name: str) -> None:
    file = MemoryFile()
    with pytest.raises(Crash):
        opened(file).commit(transaction(), Witness(name))
    ledger = opened(file, 2)
    committed = name == "after-commit"
    assert (bool(ledger.effects()), bool(ledger.state()), bool(ledger.records())) == (committed,) * 3
    assert ledger.commit(transaction(), Witness()) == 1 + committed


def test_between_writes_is_passed_only_before_a_record() -> None:
    witness = Witness()
    opened(MemoryFile()).commit(transaction(record=False), witness)
    assert witness.passed == ["before-first-write", "before-commit", "after-commit"]


def test_a_transaction_without_an_effect_has_no_number() -> None:
    ledger = opened(MemoryFile())
    only_record = Transaction((101, 1, 2), None, None, ReplyRecord(101, 1, 1, 5))
    assert ledger.commit(only_record, Witness()) == 0
    assert ledger.effects() == []
    assert ledger.records() == [ReplyRecord(101, 1, 1, 5)]


def test_a_state_may_be_keyed_by_numbers() -> None:
    ledger = opened(MemoryFile())
    ledger.commit(Transaction((101, 1, 2), {"by number": {1: 2}}, None, None), Witness())
    assert ledger.state() == {"by number": {1: 2}}


def test_records_below_the_clients_first_incomplete_are_forgotten() -> None:
    ledger = opened(MemoryFile())
    for seq in (1, 2, 3):
        ledger.commit(transaction(seq=seq, first=seq - 1), Witness())
    assert [record.seq for record in ledger.records()] == [2, 3]


def test_an_older_epoch_is_fenced() -> None:
    file = MemoryFile("server")
    old = opened(file, 1)
    opened(file, 2)
    with pytest.raises(Fenced, match="server: epoch 2 has taken over, epoch 1 may not write"):
        old.commit(transaction(), Witness())
    with pytest.raises(Fenced):
        opened(file, 1)
    assert file.read_effects() == []


def test_one_that_ignores_its_fence_writes_beside_its_successor() -> None:
    file = MemoryFile("server")
    old = MemoryLedger(file, 1, lambda: 99, fenced=False)
    opened(file, 2)
    assert old.commit(transaction(), Witness()) == 1
    assert [row.epoch for row in file.read_effects()] == [1]


def test_archiving_keeps_the_rows_and_starts_another_history() -> None:
    file = MemoryFile()
    ledger = opened(file)
    ledger.commit(transaction(), Witness())
    archived = ledger.archive()
    fresh = MemoryLedger(file, 2, lambda: 98)
    assert [row.n for row in archived.read_effects()] == [1]
    assert archived.history_id == 99
    assert archived.read_state()["value"] == 7
    assert (fresh.effects(), fresh.state(), fresh.records(), fresh.history_id) == ([], {}, [], 98)
    assert fresh.commit(transaction(), Witness()) == 1


def test_a_historys_number_is_never_0() -> None:
    assert MemoryLedger(MemoryFile(), 1, lambda: 0).history_id == 1
