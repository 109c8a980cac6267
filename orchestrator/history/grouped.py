"""PURE: a history's events by kind, by process and by operation.

A history that is held has its events in lists. Of one that is not, only the numbers of the events are held, four bytes
each, and operations are put together a part at a time: some thousands whose numbers lie together, and so did
they in time. Whoever looks at all of them looks at one part after another.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict, defaultdict
from collections.abc import Collection, ItemsView, Iterator, Mapping, Sequence, ValuesView
from typing import Any, NamedTuple, TypeVar

from nodes.wire.record import COLLECTED, Kind
from orchestrator.history.merged import Event, Life, Operation
from orchestrator.history.stored import Picked, picked
from orchestrator.history.straight import Course, course, written
from orchestrator.history.trace import OF_OPERATIONS, Trace, by_operation, traced

K = TypeVar("K")

SPAN = 32
"""Operations of a client that are never parted."""
PART = 30_000
"""Events that are put together at once."""
KEPT = 2
"""Parts that are kept: two passes beside one another are one."""


Calls = dict[str, dict[int, tuple[Any, Any]]]
"""Ledger -> number of a row -> the procedure and the argument that it is of."""


class Grouped(NamedTuple):
    """`invoked` are the `traces` that somebody invoked, in that order, `straight` those to which nothing happened, and
    `calls` are of these; `hellos` are operations 0, by client, and `strangers` what was done with messages of client 0,
    which is nobody."""

    traces: Mapping[Operation, Trace]
    invoked: Mapping[Operation, Trace]
    straight: Mapping[Operation, Course]
    calls: Calls
    hellos: dict[int, Trace]
    strangers: dict[Operation, Trace]
    lives: Mapping[Life, Sequence[Event]]
    kinds: Mapping[Kind, Sequence[Event]]
    orders: Mapping[Kind, Sequence[int]]
    """Of a history that is not held: the events of a kind."""


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
    calls: Calls = defaultdict(dict)
    straight = dict(_straight(operations, calls))
    traces = Traces(dict(operations))
    invokes = [(course.invoked, operation) for operation, course in straight.items()]
    crooked = (traces[operation] for operation in operations if operation not in straight)
    invokes += [(trace.invoke.order, trace.operation) for trace in crooked if trace.invoke]
    invoked = Invoked(traces, dict.fromkeys(operation for _, operation in sorted(invokes)))
    nobodys = {each: traced(each, own) for each, own in strangers.items()}
    return Grouped(traces, invoked, straight, calls, hellos, nobodys, dict(lives), dict(kinds), {})


def _straight(operations: Mapping[Operation, Sequence[Event]], calls: Calls) -> Iterator[tuple[Operation, Course]]:
    """Those of the operations; what their rows are of becomes known to `calls`."""
    for operation, events in operations.items():
        row = events[-1] if events and events[-1].kind is Kind.EFFECT else None
        found = course(events[:-1] if row else events)
        if found is None or found.has_effect != bool(row):
            continue
        if row and (found := written(found, row)):
            calls[row.detail["ledger"]][found.number] = found.asked
        if found:
            yield operation, found


class Traces(Mapping[Operation, Trace]):
    """Of a history that is held: every operation, in the order of their first events, put together when asked for."""

    def __init__(self, events: Mapping[Operation, Sequence[Event]]) -> None:
        self.events = events
        self._built: dict[Operation, Trace] = {}

    def __getitem__(self, operation: Operation) -> Trace:
        found = self._built.get(operation)
        if found is None:
            found = self._built[operation] = traced(operation, self.events[operation])
        return found

    def __contains__(self, operation: object) -> bool:
        return operation in self.events

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)


def stored(events: Sequence[Event]) -> Grouped:
    kinds: dict[Kind, array[int]] = defaultdict(lambda: array("I"))
    lives: dict[Life, array[int]] = defaultdict(lambda: array("I"))
    spans: dict[int, array[int]] = defaultdict(lambda: array("I"))
    hellos: list[Event] = []
    strangers: list[Event] = []
    invoked: dict[Operation, None] = {}
    for event in events:
        order, _, _, node, epoch, kind, client, seq, *_ = event
        kinds[kind].append(order)
        if kind not in COLLECTED:
            lives[node, epoch].append(order)
        if seq and client:
            spans[seq // SPAN].append(order)
            if kind is Kind.INVOKE:
                invoked.setdefault((client, seq))
        elif client and kind is not Kind.TRIM:
            hellos.append(event)
        elif not client and kind in OF_OPERATIONS:
            strangers.append(event)
    traces = Parts(events, spans)
    calls: Calls = defaultdict(dict)
    straight = {each: one for part in traces.parts() for each, one in _straight(part.events, calls)}
    said = {each[0]: traced(each, own) for each, own in by_operation(hellos).items()}
    nobodys = {each: traced(each, own) for each, own in by_operation(strangers).items()}
    return Grouped(
        traces,
        Invoked(traces, invoked),
        straight,
        calls,
        said,
        nobodys,
        _picked(events, lives),
        _picked(events, kinds),
        kinds,
    )


class Parts(Mapping[Operation, Trace]):
    """Every operation, in the order of their parts; in a part, of their first events."""

    def __init__(self, events: Sequence[Event], spans: Mapping[int, Sequence[int]]) -> None:
        self._events = events
        self._parts = list(_joined(spans))
        self._of_span = {span: number for number, (some, _) in enumerate(self._parts) for span in some}
        self._built: OrderedDict[int, Traces] = OrderedDict()

    def parts(self) -> Iterator[Traces]:
        return map(self._part, range(len(self._parts)))

    def __getitem__(self, operation: Operation) -> Trace:
        number = self._of_span.get(operation[1] // SPAN)
        if number is None:
            raise KeyError(operation)
        return self._part(number)[operation]

    def __iter__(self) -> Iterator[Operation]:
        for part in self.parts():
            yield from part

    def __len__(self) -> int:
        return sum(map(len, self.parts()))

    def _part(self, number: int) -> Traces:
        found = self._built.get(number)
        if found is None:
            events = by_operation(picked(self._events, self._parts[number][1]))
            found = self._built[number] = Traces(dict(events))
            if len(self._built) > KEPT:
                self._built.popitem(last=False)
        return found


class Invoked(Mapping[Operation, Trace]):
    """Those that somebody invoked, in the order of their invokes; of a history that is not held, part after part."""

    def __init__(self, traces: Traces | Parts, operations: Collection[Operation]) -> None:
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
        return _InParts(self)

    def values(self) -> ValuesView[Trace]:
        return _Values(self)

    def in_parts(self) -> Iterator[tuple[Operation, Trace]]:
        if isinstance(self._traces, Parts):
            for part in self._traces.parts():
                yield from _in_order(part).items()
        else:
            yield from ((operation, self._traces[operation]) for operation in self._operations)


class _InParts(ItemsView[Operation, Trace]):
    def __init__(self, invoked: Invoked) -> None:
        super().__init__(invoked)
        self._invoked = invoked

    def __iter__(self) -> Iterator[tuple[Operation, Trace]]:
        return self._invoked.in_parts()


class _Values(ValuesView[Trace]):
    def __init__(self, invoked: Invoked) -> None:
        super().__init__(invoked)
        self._invoked = invoked

    def __iter__(self) -> Iterator[Trace]:
        return (trace for _, trace in self._invoked.in_parts())


def _joined(spans: Mapping[int, Sequence[int]]) -> Iterator[tuple[list[int], Sequence[int]]]:
    """The spans of each part, and its events."""
    some: list[int] = []
    orders: list[int] = []
    for span in sorted(spans):
        some.append(span)
        orders.extend(spans[span])
        if len(orders) >= PART:
            yield some, array("I", sorted(orders))
            some, orders = [], []
    if some:
        yield some, array("I", sorted(orders))


def _in_order(traces: Mapping[Operation, Trace]) -> dict[Operation, Trace]:
    invoked = ((trace.invoke.order, operation) for operation, trace in traces.items() if trace.invoke)
    return {operation: traces[operation] for _, operation in sorted(invoked)}


def _picked(events: Sequence[Event], orders: Mapping[K, Sequence[int]]) -> dict[K, Sequence[Event]]:
    return {key: Picked(events, some) for key, some in orders.items()}
