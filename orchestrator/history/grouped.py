"""PURE: a history's events by kind, by process and by operation.

A history that is held has its events in lists. Of one that is not, each event is looked at once: of an operation to
which nothing happened no more is kept than how it went, of the others their events, and of every event six bytes
(orchestrator/history/unheld.py). Whatever else is asked for is read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from itertools import chain
from typing import NamedTuple

from nodes.wire.record import COLLECTED, Kind
from orchestrator.history.courses import Courses
from orchestrator.history.merged import Event, Life, Operation
from orchestrator.history.repeated import alone_of, repeated
from orchestrator.history.stored import Picked, Stored
from orchestrator.history.straight import Course, course
from orchestrator.history.trace import OF_OPERATIONS, Trace, by_operation, traced
from orchestrator.history.unheld import Columns, OfKinds, OfLife, Operations, Passing

FEW = 100
"""More operations than these are sought in one reading of all."""


class Grouped(NamedTuple):
    """`invoked` are the `traces` that somebody invoked, in that order, `courses` those that went straight or were
    repeated alone; `hellos` are operations 0, by client, and `strangers` what was done with messages of client 0,
    which is nobody.

    `passing` and `columns` are of a history that is not held.
    """

    traces: Traces | UnheldTraces
    invoked: Invoked
    courses: Courses
    hellos: dict[int, Trace]
    strangers: dict[Operation, Trace]
    lives: Mapping[Life, Sequence[Event]]
    kinds: Mapping[Kind, Sequence[Event]]
    passing: Passing | None = None
    columns: Columns | None = None


def held(events: Sequence[Event]) -> Grouped:
    kinds: dict[Kind, list[Event]] = defaultdict(list)
    lives: dict[Life, list[Event]] = defaultdict(list)
    operations: dict[Operation, list[Event]] = defaultdict(list)
    strangers: dict[Operation, list[Event]] = defaultdict(list)
    for event in events:
        _, _, _, node, epoch, kind, client, seq, _, _, _ = event
        kinds[kind].append(event)
        if kind not in COLLECTED:
            lives[node, epoch].append(event)
        if client:
            if seq or kind is not Kind.TRIM:
                own = operations[client, seq]
                if kind in OF_OPERATIONS:
                    own.append(event)
        elif kind in OF_OPERATIONS:
            strangers[0, seq].append(event)
    hellos = {each[0]: traced(each, operations.pop(each)) for each in list(operations) if each[1] == 0}
    courses = _courses(operations)
    traces = Traces(dict(operations))
    invoked = Invoked(traces, _in_order(courses, traces.without(courses)))
    nobodys = {each: traced(each, own) for each, own in strangers.items()}
    return Grouped(traces, invoked, courses, hellos, nobodys, dict(lives), dict(kinds))


def stored(events: Stored) -> Grouped:
    columns, passing, operations = Columns(), Passing(), Operations()
    for block in events.blocks():
        columns.see(block)
        passing.see(block)
        operations.see(block)
    operations.close(events)
    courses, crooked = operations.courses, operations.crooked
    traces = UnheldTraces(events, courses, crooked)
    invoked = Invoked(traces, _in_order(courses, crooked))
    hellos = {each[0]: traced(each, own) for each, own in by_operation(operations.hellos).items()}
    nobodys = {each: traced(each, own) for each, own in by_operation(operations.strangers).items()}
    lives = {
        life: Picked(events, OfLife(columns, number)) for life, number in columns.lives.items() if life is not None
    }
    kinds = OfKinds(events, columns)
    return Grouped(traces, invoked, courses, hellos, nobodys, lives, kinds, passing, columns)


def _in_order(courses: Courses, crooked: Mapping[Operation, Trace]) -> dict[Operation, None]:
    """Those that were invoked, in that order."""
    invokes = [*courses.invokes()]
    invokes += [(trace.invoke.order, operation) for operation, trace in crooked.items() if trace.invoke]
    return dict.fromkeys(operation for _, operation in sorted(invokes))


def _courses(operations: Mapping[Operation, Sequence[Event]]) -> Courses:
    """Those of the operations, which come in the order of their first events."""
    found, alone = Courses(), alone_of(operations)
    for operation, events in operations.items():
        row = events[-1] if events and events[-1].kind is Kind.EFFECT else None
        own = events[:-1] if row else events
        one = course(own) or (repeated(own) if operation in alone else None)
        if one is not None and one.has_effect == bool(row):
            if row is None:
                found.add(operation, one)
            elif one.wrote(row):
                found.add(operation, one._replace(row=row.order))
    return found


class Traces(Mapping[Operation, Trace]):
    """Of a history that is held: every operation, in the order of their first events, put together when asked for."""

    def __init__(self, events: Mapping[Operation, Sequence[Event]]) -> None:
        self._events = events
        self._built: dict[Operation, Trace] = {}

    def __getitem__(self, operation: Operation) -> Trace:
        found = self._built.get(operation)
        if found is None:
            found = self._built[operation] = traced(operation, self._events[operation])
        return found

    def __contains__(self, operation: object) -> bool:
        return operation in self._events

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)

    def without(self, operations: Collection[Operation]) -> dict[Operation, Trace]:
        """All but these."""
        return {operation: self[operation] for operation in self._events if operation not in operations}

    def each(self, operations: Iterable[Operation]) -> Iterator[Trace]:
        return map(self.__getitem__, operations)


class UnheldTraces(Mapping[Operation, Trace]):
    """The same of one that is not: the `crooked` are held, those that are `courses` are read again."""

    def __init__(self, events: Stored, courses: Courses, crooked: Mapping[Operation, Trace]) -> None:
        self._events, self._courses, self._crooked = events, courses, crooked

    def __getitem__(self, operation: Operation) -> Trace:
        found = self._crooked.get(operation)
        return self._read(operation, self._courses[operation]) if found is None else found

    def _read(self, operation: Operation, found: Course) -> Trace:
        some = self._events.pick(range(found.invoked, found.completed + 1))
        return self._whole(operation, found, by_operation(some)[operation])

    def _whole(self, operation: Operation, found: Course, events: list[Event]) -> Trace:
        return traced(operation, [*events, *([self._events[found.row]] if found.has_effect else [])])

    def __contains__(self, operation: object) -> bool:
        return operation in self._courses or operation in self._crooked

    def __iter__(self) -> Iterator[Operation]:
        return chain(self._courses, self._crooked)

    def __len__(self) -> int:
        return len(self._courses) + len(self._crooked)

    def without(self, operations: Collection[Operation]) -> dict[Operation, Trace]:
        """All but these, in the order of their first events."""
        also = [operation for operation in self._courses if operation not in operations]
        if not also:
            return dict(self._crooked)
        found = {**self._crooked, **(self._all(also) if len(also) > FEW else {each: self[each] for each in also})}
        return dict(sorted(found.items(), key=lambda item: item[1].begun))

    def _all(self, operations: Collection[Operation]) -> dict[Operation, Trace]:
        """So many that it is quicker to read everything than to look for each."""
        wanted = set(operations)
        return {each.operation: each for each in self._in_passing() if each.operation in wanted}

    def each(self, operations: Iterable[Operation]) -> Iterator[Trace]:
        """Of operations in the order of their invokes, reading all of the history once."""
        read = self._in_passing()
        done: dict[Operation, Trace] = {}
        for operation in operations:
            while operation not in self._crooked and operation not in done:
                trace = next(read)
                done[trace.operation] = trace
            yield self._crooked[operation] if operation in self._crooked else done.pop(operation)

    def _in_passing(self) -> Iterator[Trace]:
        """Those that are not, as they end."""
        open_now: dict[Operation, list[Event]] = defaultdict(list)
        for event in self._events:
            operation = event[6], event[7]
            found = self._courses.get(operation)
            if found is not None and event[5] in OF_OPERATIONS and event[0] <= found.completed:
                open_now[operation].append(event)
                if event[0] == found.completed:
                    yield self._whole(operation, found, open_now.pop(operation))


class Invoked(Mapping[Operation, Trace]):
    """Those that somebody invoked, in the order of their invokes."""

    def __init__(self, traces: Traces | UnheldTraces, operations: Collection[Operation]) -> None:
        self._traces = traces
        self._operations = operations

    def __getitem__(self, operation: Operation) -> Trace:
        if operation not in self._operations:
            raise KeyError(operation)
        return self._traces[operation]

    def __contains__(self, operation: object) -> bool:
        return operation in self._operations

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations)

    def __len__(self) -> int:
        return len(self._operations)

    def items(self) -> ItemsView[Operation, Trace]:
        return _Items(self)

    def values(self) -> ValuesView[Trace]:
        return _Values(self)

    def each(self) -> Iterator[Trace]:
        return self._traces.each(self._operations)


class _Items(ItemsView[Operation, Trace]):
    def __init__(self, invoked: Invoked) -> None:
        super().__init__(invoked)
        self._invoked = invoked

    def __iter__(self) -> Iterator[tuple[Operation, Trace]]:
        return ((trace.operation, trace) for trace in self._invoked.each())


class _Values(ValuesView[Trace]):
    def __init__(self, invoked: Invoked) -> None:
        super().__init__(invoked)
        self._invoked = invoked

    def __iter__(self) -> Iterator[Trace]:
        return self._invoked.each()
