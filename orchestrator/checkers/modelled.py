"""PURE: a server's ledgers, row after row, through the model of its service.

Rules of this file:

1. What a row was asked for says the execution of its attempt, whatever its client meant to ask.
2. A ledger cannot be followed beyond a row of whose attempt there were several executions of different calls, since its
   copies had been altered on their way; nor can one whose rows two processes wrote beside one another.
3. A server that was started without its state begins again with the oldest of all its states.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nodes.rpc.service import Model, Service
from nodes.wire.record import Kind
from orchestrator.history.index import Index, Life
from orchestrator.history.merged import Event, Operation, Ordered

Attempt = tuple[Life, Operation, int]
"""What a process was asked once: itself, the operation, the attempt's number."""
Call = tuple[str, Any]
"""The procedure and the argument."""
Executions = Mapping[Attempt, list[Event]]


class Step(NamedTuple):
    """A row with its execution, and what the model says of it: the state after it and its result."""

    row: Event
    execution: Event
    state: Any
    result: Any


class Modelled(NamedTuple):
    """A ledger that was collected (`ledger`), its rows, and as many steps as the model can follow."""

    service: Service
    ledger: Event
    rows: Sequence[Event]
    steps: list[Step]

    @property
    def whole(self) -> bool:
        return len(self.steps) == len(self.rows)

    @property
    def state(self) -> Any:
        """After the last step."""
        return self.steps[-1].state if self.steps else self.service.model.init


def attempt(event: Event) -> Attempt:
    return (event.node, event.epoch), event.operation, event.attempt


def call(event: Event) -> Call:
    """What an invoke asked for, or an execution did."""
    return event.detail.get("f", ""), event.detail.get("value")


def executions(index: Index) -> Executions:
    """Attempt -> its executions, in order."""
    found: dict[Attempt, list[Event]] = defaultdict(list)
    for event in index.of_kind(Kind.EXECUTE):
        found[attempt(event)].append(event)
    return found


def modelled(index: Index, services: Mapping[str, Service]) -> list[Modelled]:
    """The ledgers of these servers, in the order of their epochs."""
    known = executions(index)
    beside = {row.detail["ledger"] for row in index.outdated}
    found = []
    for ledger in index.of_kind(Kind.LEDGER):
        name, service = ledger.detail["ledger"], services.get(ledger.node)
        if service is not None:
            rows = index.rows.get(name, [])
            steps = [] if name in beside else list(_steps(service.model, rows, known))
            found.append(Modelled(service, ledger, rows, steps))
    return sorted(found, key=lambda each: each.rows[0].epoch if each.rows else 0)


def timelines(ledgers: list[Modelled]) -> dict[str, Timeline]:
    """Server -> its rows and states over all of its ledgers; without those of which one cannot be followed."""
    found: dict[str, list[Modelled]] = defaultdict(list)
    for ledger in ledgers:
        found[ledger.ledger.node].append(ledger)
    return {node: Timeline(own[0].service, own) for node, own in found.items() if all(ledger.whole for ledger in own)}


def _steps(model: Model, rows: Sequence[Event], known: Executions) -> Iterator[Step]:
    state = model.init
    for row in rows:
        own = known.get(attempt(row), [])
        if not own or any(call(execution) != call(own[0]) for execution in own):
            return
        state, result = model.step(state, *call(own[0]))
        yield Step(row, own[0], state, result)


class Returned(NamedTuple):
    """What one call without an effect returns: by value the states in which it does, and the first state in which it
    returns something else than in the oldest."""

    places: dict[str, list[int]]
    changed: int


class Timeline:
    """A server's rows, and its states: `states[0]` is before any row, `states[i]` what the i-th row made."""

    def __init__(self, service: Service, ledgers: list[Modelled]) -> None:
        self.service = service
        steps = [step for ledger in ledgers for step in ledger.steps]
        self.rows = [step.row for step in steps]
        self.states = [service.model.init, *(step.state for step in steps)]
        self._begun: list[Event] = []
        """By row the latest execution of it and those before: until that began the row's state was not there."""
        for step in steps:
            latest = self._begun[-1] if self._begun else step.execution
            self._begun.append(max(latest, step.execution, key=lambda event: event.order))
        self._returned: dict[tuple[str, str], Returned] = {}

    def until(self, event: Event, ordered: Ordered) -> int:
        """The newest state that may have been there at the event."""
        place = bisect_left(self._begun, event.order, key=lambda begun: begun.order)
        while place < len(self._begun) and not ordered(event, self._begun[place]):
            place += 1
        return place

    def newest(self, asked: Call, value: Any, until: int) -> int | None:
        """The newest state up to that one in which the call returns the value; None if there is none."""
        places = self._of(asked).places.get(repr(value), [])
        found = bisect_right(places, until)
        return places[found - 1] if found else None

    def changed(self, asked: Call, until: int) -> bool:
        """Whether the call returns something else in some state until that one."""
        return self._of(asked).changed <= until

    def _of(self, asked: Call) -> Returned:
        key = (asked[0], repr(asked[1]))
        if key not in self._returned:
            places: dict[str, list[int]] = defaultdict(list)
            for place, state in enumerate(self.states):
                places[repr(self.service.model.step(state, *asked)[1])].append(place)
            first = next(iter(places.values()))
            changed = next((n for n, place in enumerate(first) if n != place), len(first))
            self._returned[key] = Returned(dict(places), changed)
        return self._returned[key]
