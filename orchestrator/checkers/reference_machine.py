"""PURE: the reference state machine of a server's mechanism: what it may do with what it received, step by step.

Rules of this file:

1. A received copy has a set of legal answers from the moment of its receipt, by what the server must know then:
   refused if it is bound to another server, stale below the client's first incomplete number, cached after the
   commit, joined while the operation executes, executed otherwise (RIFL, SOSP 2015, section 3); busy only of a number
   so far above the first incomplete one as no server accepts.
2. Every execution and every answer uses up one received copy of its attempt, of which it must be a legal answer, and
   is sent over a connection that a copy of the attempt came by, once for each.
3. Forgetting above what the client acknowledged is a violation in itself, whether or not a repeat ever comes; so is not
   forgetting what it acknowledged, of a process that says what it forgets.
4. An epoch that was killed owes nothing. What a crash leaves open (did this hello count?) makes several answers legal,
   until one of them was given.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from nodes.rpc.mechanism import WINDOW
from nodes.services import has_effect
from nodes.wire.header import Status
from nodes.wire.record import Kind
from orchestrator.checkers.finding import Violation
from orchestrator.checkers.names import operation_name
from orchestrator.history.index import Course
from orchestrator.history.merged import Event, Operation
from orchestrator.scenario.cell import AnyLink

K = TypeVar("K")
V = TypeVar("V")

Attempt = tuple[Operation, int]

EXECUTED, REFUSED = frozenset({Status.EXECUTED}), frozenset({Status.REFUSED})
SERVED_ONCE, ANSWERED_AGAIN = (Kind.RECEIVE, Kind.EXECUTE, Kind.ANSWER), (Kind.RECEIVE, Kind.ANSWER)
"""What is counted of an operation that is not odd."""
WITH_RESULT = frozenset({Status.CACHED, Status.JOINED})


@dataclass
class Durable:
    """What survives a process: nothing but for exactly-once, where it survives with the history's id."""

    known: set[int] = field(default_factory=set)
    greeted: set[int] = field(default_factory=set)
    first: dict[int, int] = field(default_factory=dict)


class Copy(NamedTuple):
    """A received copy that was not answered yet."""

    event: Event
    legal: frozenset[Status]


@dataclass
class Running:
    """An execution that was not answered yet. `results` are those of its commits."""

    event: Event
    results: list[Any] = field(default_factory=list)

    @property
    def has_effect(self) -> bool:
        return has_effect(self.event.detail.get("f", ""))


class Results:
    """What was committed of each operation: by `earlier` processes of the same durable history, and by this one."""

    def __init__(self, earlier: Callable[[Operation], list[Any]]) -> None:
        self._earlier = earlier
        self._own: dict[Operation, list[Any]] = {}

    def of(self, operation: Operation) -> list[Any]:
        return [*self._earlier(operation), *self._own.get(operation, ())]

    def add(self, operation: Operation, result: Any) -> None:
        self._own.setdefault(operation, []).append(result)

    def forget(self, operation: Operation) -> None:
        """What is of it by this process: nobody will ask again."""
        del self._own[operation]


class Reference:
    """One process of a server, for one link. `step` takes its events in order and yields what is illegal."""

    def __init__(self, link: AnyLink, binding: int, durable: Durable, results: Results, forgetful: bool) -> None:
        self.filtered = link.semantics not in ("maybe", "at-least-once")
        self.known_only = link.semantics in ("at-most-once-incarnation", "exactly-once")
        self.binding = binding
        self.durable = durable
        self.results = results
        self.first: dict[int, int] = {}
        self.marks: dict[int, int] = {}
        self.last: dict[int, int] = {}
        """What the last copy said of its client's first incomplete one: only that makes this process forget."""
        self.tells = forgetful and self.filtered
        """Whether this process says what it forgets: then it says all of it."""
        self.due: dict[int, int] = {}
        """What is to be forgotten next of a client: below that number."""
        self.copies: dict[Attempt, list[Copy]] = defaultdict(list)
        self.running: dict[Operation, list[Running]] = defaultdict(list)
        self.came_by: Counter[tuple[Attempt, int]] = Counter()
        self.repeated: set[Operation] = set()
        """Not odd, and a repeat will come."""
        self._steps: dict[Kind, Callable[[Event], Iterator[Violation]]] = {
            Kind.RECEIVE: self._receive,
            Kind.EXECUTE: self._execute,
            Kind.COMMIT: self._commit,
            Kind.ANSWER: self._answer,
            Kind.TRIM: self._trim,
        }

    def heard(self, operation: Operation, course: Course) -> tuple[Kind, ...]:
        """A copy of an operation that is not odd, and what was done with it. Raises Illegal if it may not be executed,
        or its repeat not be answered with the result, or something was due."""
        again = operation in self.repeated
        wanted = Status.CACHED if again else Status.EXECUTED
        if operation[0] in self.due or wanted not in self._hear(operation, course.first, course.place.bound):
            raise Illegal
        if again:
            self.repeated.remove(operation)
            self.results.forget(operation)
            return ANSWERED_AGAIN
        if course.lost is not None:
            self.repeated.add(operation)
            self.results.add(operation, course.result)
        return SERVED_ONCE

    def step(self, event: Event) -> Iterator[Violation]:
        if event.seq == 0 and event.kind is not Kind.TRIM:
            self._hello(event)
        elif (step := self._steps.get(event.kind)) is not None:
            if event.kind is not Kind.TRIM and (due := self.due.pop(event.client, 0)):
                yield Violation(event.operation, f"{said(event)}: before it the server did not forget below {due}")
            yield from step(event)

    def finish(self, until: int) -> Iterator[Violation]:
        """A process that ended in an orderly way owes no answer to what came before this time of its own."""
        for event in _in_order(self.copies.values()):
            if event.time < until:
                yield Violation(event.operation, f"{said(event)} was received and never answered")
        for event in _in_order(self.running.values()):
            if event.time < until:
                yield Violation(event.operation, f"{said(event)} was executed and never answered")

    # One step each

    def _hello(self, event: Event) -> None:
        if event.kind is Kind.RECEIVE:
            self.durable.greeted.add(event.client)
        elif event.kind is Kind.ANSWER:
            self.durable.known.add(event.client)

    def _receive(self, event: Event) -> Iterator[Violation]:
        legal = self._hear(event.operation, int(event.detail.get("first", 0)), event.detail.get("server"))
        self.copies[_attempt(event)].append(Copy(event, legal))
        self.came_by[_over(event)] += 1
        yield from ()

    def _hear(self, operation: Operation, said: int, server: object) -> frozenset[Status]:
        """What a copy says of its client; -> its legal answers."""
        legal, client = self._legal(operation, said, server), operation[0]
        if legal != {Status.REFUSED}:
            self.last[client] = said
            known = self.durable.first.get(client, 0)
            if self.tells and Status.REFUSED not in legal and said > known:
                self.due[client] = said
            first = self.first[client] = max(self.first.get(client, 0), said)
            self.durable.first[client] = max(known, first)
        return legal

    def _legal(self, operation: Operation, said: int, server: object) -> frozenset[Status]:
        if not self.filtered:
            return EXECUTED
        if self.binding and server != self.binding:
            return REFUSED
        if not self.known_only or operation[0] in self.durable.known:
            return self._filter(operation, said)
        if operation[0] in self.durable.greeted:
            return self._filter(operation, said) | REFUSED
        return REFUSED

    def _filter(self, operation: Operation, said: int) -> frozenset[Status]:
        client, seq = operation
        mark = max(self.first.get(client, 0), said)
        if seq < mark:
            return frozenset({Status.STALE})
        done = bool(self.results.of(operation))
        executes = bool(self.running.get(operation))
        if seq < self.durable.first.get(client, 0):  # of an earlier process: its last mark may be lost
            return frozenset({Status.STALE, Status.CACHED if done else Status.JOINED if executes else Status.EXECUTED})
        if done:
            return frozenset({Status.CACHED, Status.JOINED} if executes else {Status.CACHED})
        if executes:
            return frozenset({Status.JOINED})
        return EXECUTED if seq < mark + WINDOW else frozenset({Status.EXECUTED, Status.BUSY})

    def _execute(self, event: Event) -> Iterator[Violation]:
        copy = self._take(event, Status.EXECUTED)
        self._settle(copy, Status.EXECUTED)
        if copy is None:
            yield Violation(event.operation, f"{said(event)} was executed and had not been received")
        elif Status.EXECUTED not in copy.legal:
            yield Violation(event.operation, f"{said(event)} was executed; legal was {_names(copy.legal)}")
        self.running[event.operation].append(Running(event))

    def _commit(self, event: Event) -> Iterator[Violation]:
        running = self._running(event)
        if running is None:
            yield Violation(event.operation, f"{said(event)} was committed and not executed before")
        else:
            running.results.append(event.detail.get("result"))
        self.results.add(event.operation, event.detail.get("result"))

    def _answer(self, event: Event) -> Iterator[Violation]:
        status = Status(event.detail["status"])
        yield from self._elsewhere(event)
        if status is Status.EXECUTED:
            yield from self._answer_executed(event)
            return
        copy = self._take(event, status)
        self._settle(copy, status)
        if copy is None:
            yield Violation(event.operation, f"{said(event)} was answered {_name(status)} and had not been received")
        elif status not in copy.legal:
            reason = f"{said(event)} was answered {_name(status)}; legal was {_names(copy.legal)}"
            yield Violation(event.operation, reason)
        elif status in WITH_RESULT and event.detail.get("value") not in self.results.of(event.operation):
            yield Violation(event.operation, f"{said(event)} was answered {_name(status)} with a result of no commit")

    def _answer_executed(self, event: Event) -> Iterator[Violation]:
        running = self._running(event)
        if running is None:
            yield Violation(event.operation, f"{said(event)} was answered executed and was not")
            return
        _remove(self.running, event.operation, running)
        value = event.detail.get("value")
        if not running.has_effect:
            self.results.add(event.operation, value)
        elif value not in running.results:
            yield Violation(event.operation, f"{said(event)} was answered before its commit, or with another result")

    def _elsewhere(self, event: Event) -> Iterator[Violation]:
        over = _over(event)
        if self.came_by[over] > 1:
            self.came_by[over] -= 1
        elif not self.came_by.pop(over, 0) and "connection" in event.detail:  # journals of older versions lack it
            yield Violation(event.operation, f"{said(event)} was answered over a connection that it had not come by")

    def _trim(self, event: Event) -> Iterator[Violation]:
        return self.forgot(event.client, int(event.detail["mark"]))

    def forgot(self, client: int, mark: int) -> Iterator[Violation]:
        """What it had of that client below that number."""
        first = max(self.first.get(client, 0), self.durable.first.get(client, 0))
        due = self.due.pop(client, self.last.get(client, 0))
        if mark > first:
            reason = f"the server forgot below {mark}; the client's first incomplete was {first}"
            yield Violation((client, mark - 1), reason)
        elif mark != due:
            yield Violation((client, mark), f"the server forgot below {mark}; the client's first incomplete was {due}")
        elif mark <= self.marks.get(client, 0):
            yield Violation((client, mark), f"the server forgot below {mark}, of which it remembered nothing")
        self.marks[client] = max(mark, self.marks.get(client, 0))

    def _settle(self, copy: Copy | None, status: Status) -> None:
        """What a crash left open of a client, whether its hello counted, its next answer tells."""
        if copy is None or len(copy.legal) == 1 or Status.REFUSED not in copy.legal:
            return
        if status is Status.REFUSED:
            self.durable.greeted.discard(copy.event.client)
        else:
            self.durable.known.add(copy.event.client)

    def _take(self, event: Event, status: Status) -> Copy | None:
        """Use up a copy of this attempt, one of which the status is legal if there is one."""
        mine = self.copies.get(_attempt(event), [])
        copy = next((copy for copy in mine if status in copy.legal), mine[0] if mine else None)
        if copy is not None:
            _remove(self.copies, _attempt(event), copy)
        return copy

    def _running(self, event: Event) -> Running | None:
        """The attempt's execution. An unfiltered attempt may have several: the first without the result is meant."""
        running_now = self.running.get(event.operation, ())
        mine = [running for running in running_now if running.event.attempt == event.attempt]
        if event.kind is Kind.COMMIT:
            return next((running for running in mine if not running.results), mine[0] if mine else None)
        value = event.detail.get("value")
        return next((running for running in mine if value in running.results), mine[0] if mine else None)


class Illegal(Exception):
    """An operation that is not odd did what it may not."""


def _attempt(event: Event) -> Attempt:
    return event.operation, event.attempt


def _remove(waiting: dict[K, list[V]], key: K, one: V) -> None:
    waiting[key].remove(one)
    if not waiting[key]:
        del waiting[key]


def _in_order(found: Iterable[list[Running]] | Iterable[list[Copy]]) -> list[Event]:
    events = (each.event for some in found for each in some)
    return sorted(events, key=lambda event: event.order)


def _over(event: Event) -> tuple[Attempt, int]:
    return _attempt(event), event.detail.get("connection", 0)


def said(event: Event) -> str:
    return f"epoch {event.epoch}: attempt {event.attempt} of {operation_name(event.operation)}"


def _name(status: Status) -> str:
    return status.name.lower()


def _names(statuses: frozenset[Status]) -> str:
    return " or ".join(sorted(_name(status) for status in statuses))
