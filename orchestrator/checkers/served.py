"""PURE: what one process of a server did for clients, step by step.

Of an operation that is not odd no more is told than that a copy of it was received, and its repeat if it had one: of a
history that is not held it need not be read again.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from typing import NamedTuple

from nodes.wire.record import Kind
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Courses
from orchestrator.history.merged import Event, Life, Operation
from orchestrator.history.stored import picked
from orchestrator.history.unheld import Columns

SERVED = frozenset({Kind.RECEIVE, Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER})


class Forgot(NamedTuple):
    """The server forgot what it had of that client below that number."""

    client: int
    mark: int


Served = Event | Operation | Forgot


def served(setting: Setting, life: Life, even: Courses) -> Iterator[Served]:
    """In order. `even` are the operations of which no more is told."""
    columns = setting.index.columns
    return _held(setting, life, even) if columns is None or not even else _unheld(setting, life, even, columns)


def _held(setting: Setting, life: Life, even: Courses) -> Iterator[Served]:
    for event in setting.index.lives[life]:
        kind, operation = event[5], (event[6], event[7])
        if kind not in SERVED or operation not in even:
            yield event
        elif kind is Kind.RECEIVE:
            yield operation


def _unheld(setting: Setting, life: Life, even: Courses, columns: Columns) -> Iterator[Served]:
    odd = [event for kind in SERVED for event in setting.suspected(kind) if event.life == life]
    ways: list[Iterator[tuple[int, Served]]] = [
        ((event.order, event) for event in sorted(odd)),
        _forgotten(setting, columns, columns.lives[life]),
        iter(sorted(even.receipts(*life))),
    ]
    return (each for _, each in merge(*ways, key=itemgetter(0)))


def _forgotten(setting: Setting, columns: Columns, number: int) -> Iterator[tuple[int, Served]]:
    """Read again where one of them says more, or less, than such a record does."""
    receipts, of = setting.index.receipts, columns.life
    if receipts.numbered:
        events = picked(setting.index.events, [n for n in columns.of_kind(Kind.TRIM) if of[n] == number])
        return ((event.order, event) for event in events)
    return (
        (order, Forgot(client, mark))
        for order, client, mark in zip(*receipts.trims, strict=True)
        if of[order] == number
    )
