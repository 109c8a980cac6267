"""PURE: what one process of a server did for clients, step by step.

Of an operation that is not odd no more is told than that a copy of it was received, and its repeat if it had one: of a
history that is not held it need not be read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import merge

from nodes.wire.record import Kind
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Course
from orchestrator.history.merged import Event, Life, Operation
from orchestrator.history.stored import picked
from orchestrator.history.unheld import Columns

SERVED = frozenset({Kind.RECEIVE, Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER})
Courses = Mapping[Operation, Course]


def served(setting: Setting, life: Life, even: Courses) -> Iterator[Event | Operation]:
    """In order. `even` are the operations of which no more is told."""
    columns = setting.index.columns
    return _held(setting, life, even) if columns is None or not even else _unheld(setting, life, even, columns)


def _held(setting: Setting, life: Life, even: Courses) -> Iterator[Event | Operation]:
    for event in setting.index.lives[life]:
        kind, operation = event[5], (event[6], event[7])
        if kind not in SERVED or operation not in even:
            yield event
        elif kind is Kind.RECEIVE:
            yield operation


def _unheld(setting: Setting, life: Life, even: Courses, columns: Columns) -> Iterator[Event | Operation]:
    odd = [event for kind in SERVED for event in setting.suspected(kind) if event.life == life]
    trims = picked(setting.index.events, [n for n in setting.index.orders(life) if columns.kinds[n] == Kind.TRIM])
    own = [(operation, course) for operation, course in even.items() if _by(course) == life]
    received = [(course.received, operation) for operation, course in own]
    received += [(course.again, operation) for operation, course in own if course.lost]
    ways: list[Iterator[tuple[int, Event | Operation]]] = [
        ((event.order, event) for event in sorted(odd)),
        ((event.order, event) for event in trims),
        iter(sorted(received)),
    ]
    return (each for _, each in merge(*ways))


def _by(course: Course) -> Life:
    return course.place.server, course.place.epoch
