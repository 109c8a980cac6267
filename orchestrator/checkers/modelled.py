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
from itertools import islice
from typing import Any, NamedTuple

from nodes.rpc.service import Model, Service
from nodes.wire.record import Kind
from orchestrator.checkers.setting import Setting
from orchestrator.history.merged import Event, Life, Operation, Ordered

Attempt = tuple[Life, Operation, int]
"""What a process was asked once: itself, the operation, the attempt's number."""
Call = tuple[str, Any]
"""The procedure and the argument."""


class Step(NamedTuple):
    """A row, and what the model says of it: the state after it and its result."""

    row: Event
    state: Any
    result: Any


def attempt(event: Event) -> Attempt:
    return event.life, event.operation, event.attempt


def call(event: Event) -> Call:
    """What an invoke asked for, or an execution did."""
    return event.detail.get("f", ""), event.detail.get("value")


class Executions:
    """What each row was asked for."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._known: dict[Attempt, list[Event]] = defaultdict(list)
        for trace in setting.suspects:
            for event in trace.executes:
                self._known[attempt(event)].append(event)

    def call(self, row: Event) -> Call | None:
        """None if that is not known, or of several executions one was of another call."""
        if own := self._known.get(attempt(row)):
            return call(own[0]) if all(call(execution) == call(own[0]) for execution in own) else None
        return self._setting.courses.asked(row.operation, row.order)

    def first(self, row: Event) -> Event:
        """Of a row of which `call` knows what it was asked for."""
        own = self._known.get(attempt(row))
        return own[0] if own else self._setting.trace(row.operation).executes[0]


class Modelled(NamedTuple):
    """A ledger that was collected (`ledger`), its rows, how many of them the model could follow, the state after these,
    and those of them that have another result than the model's."""

    service: Service
    ledger: Event
    rows: Sequence[Event]
    executions: Executions
    followed: int
    state: Any
    other: list[Step]

    @property
    def whole(self) -> bool:
        return self.followed == len(self.rows)

    @property
    def steps(self) -> Iterator[Step]:
        return islice(_steps(self.service.model, self.rows, self.executions), self.followed)


def modelled(setting: Setting, services: Mapping[str, Service]) -> list[Modelled]:
    """The ledgers of these servers, in the order of their epochs."""
    index, executions = setting.index, Executions(setting)
    beside = {row.detail["ledger"] for row in index.outdated}
    found = []
    for ledger in index.of_kind(Kind.LEDGER):
        name, service = ledger.detail["ledger"], services.get(ledger.node)
        if service is not None:
            rows = index.rows.get(name, [])
            found.append(_followed(service, ledger, rows, executions, name in beside))
    return sorted(found, key=lambda each: each.rows[0].epoch if each.rows else 0)


def _followed(service: Service, ledger: Event, rows: Sequence[Event], executions: Executions, beside: bool) -> Modelled:
    followed, state, other = 0, service.model.init, []
    for step in () if beside else _steps(service.model, rows, executions):
        followed, state = followed + 1, step.state
        if step.row.detail["result"] != step.result:
            other.append(step)
    return Modelled(service, ledger, rows, executions, followed, state, other)


def timelines(ledgers: list[Modelled]) -> dict[str, Timeline]:
    """Server -> its rows and states over all of its ledgers; without those of which one cannot be followed."""
    found: dict[str, list[Modelled]] = defaultdict(list)
    for ledger in ledgers:
        found[ledger.ledger.node].append(ledger)
    return {node: Timeline(own[0].service, own) for node, own in found.items() if all(ledger.whole for ledger in own)}


def _steps(model: Model, rows: Sequence[Event], executions: Executions) -> Iterator[Step]:
    state = model.init
    for row in rows:
        asked = executions.call(row)
        if asked is None:
            return
        state, result = model.step(state, *asked)
        yield Step(row, state, result)


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
        begun = [ledger.executions.first(row) for ledger in ledgers for row in ledger.rows]
        self.rows = [step.row for step in steps]
        self.states = [service.model.init, *(step.state for step in steps)]
        self._begun: list[Event] = []
        """By row the latest execution of it and those before: until that began the row's state was not there."""
        for execution in begun:
            latest = self._begun[-1] if self._begun else execution
            self._begun.append(max(latest, execution, key=lambda event: event.order))
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
