"""The contract of nodes.ledger.Ledger, as checks that an implementer runs.

A check takes a `Store`, opens ledgers in it and raises AssertionError where the contract is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import pytest

from nodes.ledger import EffectRow, Fenced, Ledger
from nodes.ops import Effect, ReplyRecord, Transaction

CLIENT = 10101
BEFORE_COMMIT = ("before-first-write", "between-writes", "before-commit")


class Store(Protocol):
    """What outlives a ledger: a file, or what stands for one."""

    def open(self, epoch: int) -> Ledger: ...

    def archive(self) -> list[EffectRow]:
        """Set the contents aside -> the effects that were archived."""


class Crash(BaseException):
    """What a simulated death raises: not an Exception, as programs must not catch it."""


class Passed:
    """A witness that lists the passages and dies at one of them."""

    def __init__(self, die_at: str | None = None) -> None:
        self.names: list[str] = []
        self.identities: set[tuple[int, int, int]] = set()
        self._die_at = die_at

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        self.names.append(name)
        self.identities.add((client, seq, attempt))
        if name == self._die_at:
            raise Crash(name)


def add(seq: int, total: int, *, first: int = 1, attempt: int = 1, client: int = CLIENT) -> Transaction:
    """The counter's transaction for one operation, with its reply record."""
    effect = Effect(client, seq, 1_000 + seq, attempt, total)
    record = ReplyRecord(client, seq, first, total)
    return Transaction((client, seq, attempt), {"total": total}, effect, record)


def contents(ledger: Ledger) -> tuple[Any, ...]:
    return ledger.effects(), ledger.state(), ledger.records()


def a_commit_is_seen_by_the_next_epoch(store: Store) -> None:
    ledger = store.open(1)
    assert [ledger.commit(add(1, 5), Passed()), ledger.commit(add(2, 9), Passed())] == [1, 2]
    before = contents(ledger)
    ledger.close()
    after = store.open(2)
    assert contents(after) == before
    assert after.effects() == [EffectRow(1, CLIENT, 1, 1001, 1, 1, 5), EffectRow(2, CLIENT, 2, 1002, 1, 1, 9)]
    assert after.state() == {"total": 9}
    assert after.records() == [ReplyRecord(CLIENT, 1, 1, 5), ReplyRecord(CLIENT, 2, 1, 9)]
    after.close()


def passages_are_in_the_order_of_writes_with_the_call_s_identity(store: Store) -> None:
    ledger = store.open(1)
    witness = Passed()
    ledger.commit(add(1, 5, attempt=3), witness)
    assert witness.names == ["before-first-write", "between-writes", "before-commit", "after-commit"]
    assert witness.identities == {(CLIENT, 1, 3)}
    without_record = Passed()
    ledger.commit(add(2, 5)._replace(record=None), without_record)
    assert without_record.names == ["before-first-write", "before-commit", "after-commit"]
    ledger.close()


def a_death_before_commit_leaves_nothing(store: Store) -> None:
    ledger = store.open(1)
    ledger.commit(add(1, 5), Passed())
    for name in BEFORE_COMMIT:
        before = contents(ledger)
        with pytest.raises(Crash):
            ledger.commit(add(2, 9, first=2), Passed(die_at=name))
        ledger = store.open(1)
        assert contents(ledger) == before, name
    assert ledger.commit(add(2, 9), Passed()) == 2  # without a gap
    ledger.close()


def a_death_after_commit_leaves_everything(store: Store) -> None:
    ledger = store.open(1)
    with pytest.raises(Crash):
        ledger.commit(add(1, 5), Passed(die_at="after-commit"))
    ledger = store.open(2)
    assert [row.n for row in ledger.effects()] == [1]
    assert ledger.state() == {"total": 5}
    assert len(ledger.records()) == 1
    ledger.close()


def a_second_execution_shows(store: Store) -> None:
    ledger = store.open(1)
    ledger.commit(add(1, 5), Passed())
    ledger.commit(add(1, 10, attempt=2), Passed())
    assert [(row.seq, row.attempt) for row in ledger.effects()] == [(1, 1), (1, 2)]
    ledger.close()


def records_below_the_client_s_first_are_forgotten(store: Store) -> None:
    ledger = store.open(1)
    for seq in (1, 2, 3):
        ledger.commit(add(seq, seq), Passed())
    ledger.commit(add(1, 7, client=CLIENT + 100), Passed())
    ledger.commit(add(4, 4, first=3), Passed())
    assert [(record.client, record.seq) for record in ledger.records()] == [
        (CLIENT, 3),
        (CLIENT, 4),
        (CLIENT + 100, 1),
    ]
    assert len(ledger.effects()) == 5  # effects are evidence and stay
    ledger.close()


def a_late_commit_leaves_its_client_known(store: Store) -> None:
    """Of a call that its client gave up before it was executed: the next epoch knows the client, and its mark."""
    ledger = store.open(1)
    ledger.commit(add(1, 5, first=2), Passed())
    ledger.close()
    successor = store.open(2)
    assert [(record.client, record.seq, record.first) for record in successor.records()] == [(CLIENT, 1, 2)]
    successor.commit(add(3, 5, first=3), Passed())
    assert [(record.client, record.seq) for record in successor.records()] == [(CLIENT, 3)]
    successor.close()


def an_older_epoch_is_fenced(store: Store) -> None:
    stopped = store.open(1)
    successor = store.open(2)
    with pytest.raises(Fenced):
        stopped.commit(add(1, 5), Passed())
    assert successor.effects() == []
    successor.commit(add(1, 5), Passed())
    assert [row.epoch for row in successor.effects()] == [2]
    stopped.close()
    with pytest.raises(Fenced):
        store.open(1)
    successor.close()


def parts_of_a_transaction_may_be_missing(store: Store) -> None:
    ledger = store.open(1)
    whole = add(1, 5)
    assert ledger.commit(whole._replace(effect=None, state=None), Passed()) == 0
    assert (ledger.effects(), ledger.state(), len(ledger.records())) == ([], {}, 1)
    assert ledger.commit(whole._replace(state=None, record=None), Passed()) == 1
    assert ledger.state() == {}
    assert ledger.commit(whole._replace(effect=None, record=None), Passed()) == 0
    assert ledger.state() == {"total": 5}
    ledger.close()


def values_are_kept_as_the_wire_has_them(store: Store) -> None:
    ledger = store.open(1)
    value = {
        "none": None,
        "big": 2**64 - 1,
        "bytes": b"\0\xff",
        "list": [1, -(2**63), 0.5],
        "text": "ü",
        "map": {"k": True},
    }
    effect = Effect(2**32 - 1, 2**32 - 1, 2**64 - 1, 2**32 - 1, value)
    record = ReplyRecord(2**32 - 1, 2**32 - 1, 2**32 - 1, value)
    ledger.commit(Transaction((effect.client, effect.seq, effect.attempt), {"value": value}, effect, record), Passed())
    ledger.close()
    ledger = store.open(1)
    assert ledger.effects() == [EffectRow(1, effect.client, effect.seq, effect.intent, 1, effect.attempt, value)]
    assert ledger.state() == {"value": value}
    assert ledger.records() == [record]
    ledger.close()


def only_a_new_history_has_a_new_id(store: Store) -> None:
    ledger = store.open(1)
    ledger.commit(add(1, 5), Passed())
    first = ledger.history_id
    ledger.close()
    ledger = store.open(2)
    assert ledger.history_id == first
    assert 0 < first < 2**64
    ledger.close()
    assert [row.n for row in store.archive()] == [1]
    ledger = store.open(3)
    assert ledger.history_id != first
    assert contents(ledger) == ([], {}, [])
    assert ledger.commit(add(1, 5), Passed()) == 1
    ledger.close()


CHECKS: tuple[Callable[[Store], None], ...] = (
    a_commit_is_seen_by_the_next_epoch,
    passages_are_in_the_order_of_writes_with_the_call_s_identity,
    a_death_before_commit_leaves_nothing,
    a_death_after_commit_leaves_everything,
    a_second_execution_shows,
    records_below_the_client_s_first_are_forgotten,
    a_late_commit_leaves_its_client_known,
    an_older_epoch_is_fenced,
    parts_of_a_transaction_may_be_missing,
    values_are_kept_as_the_wire_has_them,
    only_a_new_history_has_a_new_id,
)
