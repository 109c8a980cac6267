"""PURE: a history together with the cell that it is a run of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from chaos.faults.fault import Fault
from chaos.supports import PLANE_OF, PLANES
from nodes.rpc.service import Workload
from nodes.wire.header import client_number, intent_number, turn
from nodes.wire.record import Kind
from nodes.workload import CALL, operations
from orchestrator.checkers.guarded import Guard
from orchestrator.checkers.overtaking import Overtaking
from orchestrator.history.index import Course, Courses, Index, Trace
from orchestrator.history.merged import Event, Operation
from orchestrator.history.straight import Lost, Place
from orchestrator.history.trace import OF_OPERATIONS
from orchestrator.run.specs import plane_of
from orchestrator.scenario.cell import AnyLink, Cell, Client, SocketLink
from orchestrator.scenario.system import Driver

BOUND_TO = {"at-most-once-incarnation": 0, "exactly-once": 1}
"""Semantics whose calls are bound to a server -> the place in (incarnation, history) of what they are bound to."""


class Caller(NamedTuple):
    """One process that calls: its node, that node's ordinal in the plan and its own in the node, both from 1."""

    node: str
    ordinal: int
    process: int
    plan: Client | Driver


def workload_of(caller: Caller) -> Workload:
    """What the caller does for each intent; a program of the user's calls."""
    return operations(caller.plan.workload if isinstance(caller.plan, Client) else CALL)


class Setting:
    """What checkers ask about operations that a history alone does not know."""

    def __init__(self, cell: Cell, index: Index) -> None:
        self.cell = cell
        self.index = index
        self.guard = Guard()
        self._links: dict[str, tuple[AnyLink, ...]] = {}

    @cached_property
    def callers(self) -> dict[int, Caller]:
        """Client number -> its process, of all that the plan has."""
        return {
            client_number(ordinal, process, 1): Caller(name, ordinal, process, plan)
            for ordinal, (name, plan) in enumerate(self.cell.callers.items(), 1)
            for process in range(1, plan.clients + 1)
        }

    @cached_property
    def members(self) -> dict[str, int]:
        """Caller's node -> to how many servers each of its messages goes."""
        return {name: self.cell.members(name) for name in self.cell.callers}

    def asked(self, caller: Caller, seq: int, intent: int) -> tuple[str, Any]:
        """What the plan has the operation do. All deliveries of one message carry what the first of them asks for."""
        return workload_of(caller)(intent - turn(seq, self.members[caller.node]))

    def link_of(self, trace: Trace) -> AnyLink | None:
        return self._link(trace.node, trace.operation[1])

    def planned_link(self, operation: Operation) -> AnyLink | None:
        """The link of a client of the plan's."""
        client, seq = operation
        caller = self.callers.get(client)
        return self._link(caller.node, seq) if caller else None

    def _link(self, node: str, seq: int) -> AnyLink | None:
        if node not in self._links:
            self._links[node] = self.cell.links_of(node)
        links = self._links[node]
        return links[turn(seq, len(links))] if links else None

    def server_of(self, trace: Trace) -> str:
        """The node that the operation's client calls."""
        link = self.link_of(trace)
        return link.target if link else ""

    def budget_of(self, trace: Trace) -> int | None:
        """How many attempts the operation may have; None: until settling. *Maybe* has one, whatever is said."""
        link, client = self.link_of(trace), self.cell.nodes.get(trace.node)
        if link is not None and link.semantics == "maybe":
            return 1
        return client.retry.attempts if isinstance(client, Client) else None

    @cached_property
    def odd(self) -> dict[Operation, Trace]:
        """The operations that are to be looked at one by one. Of every other one all is known: it was straight
        (orchestrator/history/straight.py), it was as the plan has it, on its link, its client and server were there all
        the time, nothing was done to what its client sent before it, it came in its turn, and it ended before
        draining; or it was repeated (orchestrator/history/repeated.py), and all this, and goes as one that is odd."""
        return self.index.traces.without(self.courses)

    @cached_property
    def courses(self) -> Courses:
        """How the operations went that are not odd."""
        return self._looked_at[0]

    @cached_property
    def alike(self) -> Mapping[Operation, Sequence[Operation]]:
        """An odd operation that was repeated -> those that went as it did, and are not odd: what it made they all
        made."""
        return self._looked_at[1]

    @cached_property
    def _looked_at(self) -> tuple[Courses, dict[Operation, list[Operation]]]:
        odd: set[Operation] = set()
        first: dict[tuple[Place, Lost, str], Operation] = {}
        alike: dict[Operation, list[Operation]] = {}
        for operation, course in self.index.courses.items():
            if not self._even(operation, course):
                odd.add(operation)
            elif course.lost is not None:
                one = first.setdefault((course.place, course.lost, course.asked[0]), operation)
                if one == operation:
                    odd.add(one)
                    alike[one] = []
                else:
                    alike[one].append(operation)
        return self.index.courses.without(odd), alike

    def goes_alike(self, operation: Operation) -> bool:
        """Whether it went as one that is odd, and is not."""
        return self.courses.repeated(operation)

    def with_alike(self, operations: Iterable[Operation]) -> frozenset[Operation]:
        """These, which are odd, and those that went as one of them did."""
        found = frozenset(operations)
        more = [self.alike[operation] for operation in found if operation in self.alike]
        return found.union(*more) if more else found

    @cached_property
    def even(self) -> Counter[bool]:
        """How many operations are not odd: with an effect (True), without one."""
        found: Counter[bool] = Counter()
        for _, _, effect, count in self._examples:
            found[effect] += count
        return found

    @cached_property
    def _examples(self) -> list[tuple[Operation, Lost | None, bool, int]]:
        return [*self.courses.examples()]

    @cached_property
    def suspects(self) -> tuple[Trace, ...]:
        """Whatever the evidence gate looks at one by one: odd operations, hellos, and what nobody's messages did."""
        index = self.index
        return (*self.odd.values(), *index.hellos.values(), *index.strangers.values())

    def trace(self, operation: Operation) -> Trace:
        """Of a history that is not held, those that are odd are."""
        return self.odd.get(operation) or self.index.traces[operation]

    @cached_property
    def like_even(self) -> Collection[Trace]:
        """One of each kind that there is of operations that are not odd: what became of it became of all."""
        like: dict[bool, Operation] = {}
        for operation, lost, effect, _ in self._examples:
            if lost is None:
                like.setdefault(effect, operation)
        return [self.index.traces[operation] for operation in (*like.values(), *self.alike)]

    def suspected(self, kind: Kind) -> Sequence[Event]:
        """The events of that kind but those of operations that are not odd, and trims as there are many."""
        if kind is Kind.TRIM:
            return self.index.receipts.numbered
        return self._suspected.get(kind, ()) if kind in OF_OPERATIONS else self.index.of_kind(kind)

    @cached_property
    def _suspected(self) -> dict[Kind, list[Event]]:
        found: dict[Kind, list[Event]] = defaultdict(list)
        for event in sorted(event for trace in self.suspects for event in trace.events()):
            found[event.kind].append(event)
        return dict(found)

    @cached_property
    def odd_invoked(self) -> dict[Operation, Trace]:
        """Those that somebody invoked, in the order of their invokes."""
        invoked = [(trace.invoke.order, operation) for operation, trace in self.odd.items() if trace.invoke]
        return {operation: self.odd[operation] for _, operation in sorted(invoked)}

    def _even(self, operation: Operation, course: Course) -> bool:
        begin, end, receipt = course.invoked, course.completed, course.received
        receipts = self.index.receipts
        if end > self.index.drained or receipt in receipts.overtaken or receipt in receipts.forgotten:
            return False
        if operation[0] in self._disturbed or not self._planned(operation, course):
            return False
        if course.lost is not None and not self._lost(operation, course, course.lost):
            return False
        index, place = self.index, course.place
        away = index.outages and (index.is_away(place.node, begin, end) or index.is_away(place.server, begin, end))
        return not away

    def _lost(self, operation: Operation, course: Course, lost: Lost) -> bool:
        """Whether a fault that loses replies on its link lost the first one, and its repeat came in its turn."""
        fault = self._losing.get(lost.rule)
        receipts, again = self.index.receipts, course.again
        if fault is None or again in receipts.overtaken or again in receipts.forgotten:
            return False
        return fault.on_link == course.place.link and "reply" in fault.directions

    @cached_property
    def _losing(self) -> Mapping[int, Fault]:
        """The faults that lose messages, by number; none where an order may be an estimate, where a log says what is
        lost, or where a plane is at work that does not say to which messages."""
        cell = self.cell
        if self.index.history.clocks or cell.log is not None or not self._by_relays:
            return {}
        return {index: fault for index, fault in enumerate(cell.faults) if fault.consumes}

    @cached_property
    def _by_relays(self) -> bool:
        """Whether every fault is of processes, or of a plane that writes down what it does to which message."""
        faults = self.cell.faults
        return all(fault.on_process is not None or plane_of(self.cell, fault) == "relay" for fault in faults)

    def _planned(self, operation: Operation, course: Course) -> bool:
        """Whether it was what the plan has, and went where the plan has it, past the hop that the plan has there, bound
        to what its client had been told before."""
        client, seq = operation
        caller, place = self.callers.get(client), course.place
        if caller is None or (caller.node, caller.process) != (place.node, place.process):
            return False
        link = self._link(caller.node, seq)
        if link is None or (link.name, link.target) != (place.link, place.server):
            return False
        if place.hop not in PLANES if place.hop else PLANE_OF[link.via] == "relay":
            return False
        intent = intent_number(caller.ordinal, caller.process, seq)
        if course.intent != intent or course.asked != self.asked(caller, seq, intent):
            return False
        if isinstance(link, SocketLink):  # where nobody says hello
            return bool(place.bound == 0)
        told = self._told.get(client, [])
        known = [identity[BOUND_TO[link.semantics]] for _, *identity in told] if link.semantics in BOUND_TO else [0]
        return bool(told) and told[0][0] < course.sent and place.bound in known

    @cached_property
    def _told(self) -> dict[int, list[tuple[int, Any, Any]]]:
        """Client -> when it was told of which server (order, incarnation, history)."""
        found: dict[int, list[tuple[int, Any, Any]]] = defaultdict(list)
        for event in self.index.of_kind(Kind.SESSION):
            told = event.detail
            found[event.client].append((event.order, told.get("incarnation"), told.get("history")))
        return found

    @cached_property
    def _disturbed(self) -> frozenset[int]:
        """The clients to whose hellos something was done."""
        hellos = self.index.hellos.items()
        return frozenset(
            client for client, hello in hellos if any(event.detail.get("act") != "pass" for event in hello.decisions)
        )

    @cached_property
    def overtaking(self) -> Overtaking:
        return Overtaking(self.index)

    @cached_property
    def last_broken(self) -> int:
        """The order at which a receiver last journalled a broken message; a plane that did names its link."""
        broken = (event.order for event in self.index.of_kind(Kind.BROKEN) if "link" not in event.detail)
        return max(broken, default=-1)
