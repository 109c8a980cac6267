"""PURE: a history's events by kind, by process and by operation.

A history that is held has its events in lists. Of one that is not, only the numbers of the events are held, four bytes
each, and operations are put together a part at a time: some thousands whose numbers lie together, and so did
they in time. Whoever looks at all of them looks at one part after another.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict, defaultdict
from collections.abc import Collection, ItemsView, Iterator, Mapping, Sequence, ValuesView
from typing import NamedTuple, TypeVar

from nodes.wire.record import COLLECTED, Kind
from orchestrator.history.merged import Event, Life, Operation
from orchestrator.history.stored import Picked, picked
from orchestrator.history.trace import OF_OPERATIONS, Trace, traced

K = TypeVar("K")

SPAN = 32
"""Operations of a client that are never parted."""
PART = 30_000
"""Events that are put together at once."""
KEPT = 2
"""Parts that are kept: two passes beside one another are one."""


class Grouped(NamedTuple):
    """`invoked` are the `traces` that somebody invoked, in that order; `hellos` are operations 0, by client, and
    `strangers` what was done with messages of client 0, which is nobody."""

    traces: Mapping[Operation, Trace]
    invoked: Mapping[Operation, Trace]
    hellos: dict[int, Trace]
    strangers: dict[Operation, Trace]
    lives: Mapping[Life, Sequence[Event]]
    kinds: Mapping[Kind, Sequence[Event]]
    orders: Mapping[Kind, Sequence[int]]
    """Of a history that is not held: the events of a kind."""


def held(events: Sequence[Event]) -> Grouped:
    kinds: dict[Kind, list[Event]] = defaultdict(list)
    lives: dict[Life, list[Event]] = defaultdict(list)
    for event in events:
        kind = event.kind
        kinds[kind].append(event)
        if kind not in COLLECTED:
            lives[event.node, event.epoch].append(event)
    traces = traced(event for event in events if event.client and (event.seq or event.kind is not Kind.TRIM))
    hellos = {client: traces.pop((client, seq)) for client, seq in list(traces) if seq == 0}
    strangers = traced(event for event in events if not event.client and event.kind in OF_OPERATIONS)
    return Grouped(traces, _in_order(traces), hellos, strangers, dict(lives), dict(kinds), {})


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
    said = {client: trace for (client, _), trace in traced(hellos).items()}
    return Grouped(
        traces, Invoked(traces, invoked), said, traced(strangers), _picked(events, lives), _picked(events, kinds), kinds
    )


class Parts(Mapping[Operation, Trace]):
    """Every operation, in the order of their parts; in a part, of their first events."""

    def __init__(self, events: Sequence[Event], spans: Mapping[int, Sequence[int]]) -> None:
        self._events = events
        self._parts = list(_joined(spans))
        self._of_span = {span: number for number, (some, _) in enumerate(self._parts) for span in some}
        self._built: OrderedDict[int, dict[Operation, Trace]] = OrderedDict()

    def parts(self) -> Iterator[dict[Operation, Trace]]:
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

    def _part(self, number: int) -> dict[Operation, Trace]:
        found = self._built.get(number)
        if found is None:
            found = self._built[number] = traced(picked(self._events, self._parts[number][1]))
            if len(self._built) > KEPT:
                self._built.popitem(last=False)
        return found


class Invoked(Mapping[Operation, Trace]):
    """Those of the parts that somebody invoked; in a part, in the order of their invokes."""

    def __init__(self, traces: Parts, operations: Collection[Operation]) -> None:
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
        for part in self._traces.parts():
            yield from _in_order(part).items()


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
