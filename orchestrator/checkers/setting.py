"""PURE: a history together with the cell that it is a run of."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from functools import cached_property
from typing import Any, NamedTuple

from chaos.supports import PLANE_OF
from nodes.wire.header import client_number, turn
from nodes.wire.record import Kind
from orchestrator.checkers.overtaking import Overtaking
from orchestrator.history.index import Index, Trace
from orchestrator.history.merged import Operation
from orchestrator.scenario.cell import Cell, Client, Link
from orchestrator.scenario.system import Driver

SortedOut = tuple[dict[Operation, Trace], Counter[bool], dict[bool, Trace], dict[str, dict[int, tuple[str, Any]]]]


class Caller(NamedTuple):
    """One process that calls: its node, that node's ordinal in the plan and its own in the node, both from 1."""

    node: str
    ordinal: int
    process: int
    plan: Client | Driver


class Setting:
    """What checkers ask about operations that a history alone does not know."""

    def __init__(self, cell: Cell, index: Index) -> None:
        self.cell = cell
        self.index = index
        self._links: dict[str, tuple[Link, ...]] = {}

    @cached_property
    def callers(self) -> dict[int, Caller]:
        """Client number -> its process, of all that the plan has."""
        return {
            client_number(ordinal, process, 1): Caller(name, ordinal, process, plan)
            for ordinal, (name, plan) in enumerate(self.cell.callers.items(), 1)
            for process in range(1, plan.clients + 1)
        }

    def link_of(self, trace: Trace) -> Link | None:
        return self._link(trace.node, trace.operation[1])

    def planned_link(self, operation: Operation) -> Link | None:
        """The link of a client of the plan's."""
        client, seq = operation
        caller = self.callers.get(client)
        return self._link(caller.node, seq) if caller else None

    def _link(self, node: str, seq: int) -> Link | None:
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

    @property
    def odd(self) -> dict[Operation, Trace]:
        """The operations that are to be looked at one by one. Of every other one all is known: it was straight
        (orchestrator/history/straight.py), on its link of the plan, its client and server were there all the time,
        nothing was done to what its client sent before it, it came in its turn, and it ended before draining."""
        return self._sorted_out[0]

    @property
    def even(self) -> Counter[bool]:
        """How many operations are not odd: with an effect (True), without one."""
        return self._sorted_out[1]

    @cached_property
    def suspects(self) -> tuple[Trace, ...]:
        """Whatever the evidence gate looks at one by one: odd operations, hellos, and what nobody's messages did."""
        index = self.index
        return (*self.odd.values(), *index.hellos.values(), *index.strangers.values())

    def trace(self, operation: Operation) -> Trace:
        """Of a history that is not held, those that are odd are."""
        return self.odd.get(operation) or self.index.traces[operation]

    @property
    def like_even(self) -> Collection[Trace]:
        """One of each kind that there is of operations that are not odd: what became of it became of all."""
        return self._sorted_out[2].values()

    @property
    def even_calls(self) -> dict[str, dict[int, tuple[str, Any]]]:
        """Ledger -> number of a row -> what was asked for it, of the operations that are not odd."""
        return self._sorted_out[3]

    @cached_property
    def _sorted_out(self) -> SortedOut:
        odd: dict[Operation, Trace] = {}
        even: Counter[bool] = Counter()
        like: dict[bool, Trace] = {}
        calls: dict[str, dict[int, tuple[str, Any]]] = defaultdict(dict)
        one: dict[str, tuple[str, Any]] = {}  # of equal ones, of which there are many
        for operation, trace in self.index.traces.items():
            if self._even(trace):
                even[trace.has_effect] += 1
                like.setdefault(trace.has_effect, trace)
                for row, execution in zip(trace.effects, trace.executes, strict=False):
                    asked = execution.detail.get("f", ""), execution.detail.get("value")
                    calls[row.detail["ledger"]][row.detail["n"]] = one.setdefault(repr(asked), asked)
            else:
                odd[operation] = trace
        return odd, even, like, calls

    @cached_property
    def odd_invoked(self) -> dict[Operation, Trace]:
        """Those that somebody invoked, in the order of their invokes."""
        invoked = [(trace.invoke.order, operation) for operation, trace in self.odd.items() if trace.invoke]
        return {operation: self.odd[operation] for _, operation in sorted(invoked)}

    def _even(self, trace: Trace) -> bool:
        if not trace.straight or trace.invoke is None or trace.completion is None:
            return False
        begin, end, receipt = trace.invoke.order, trace.completion.order, trace.receives[0].order
        if end > self.index.drained or receipt in self.overtaken or receipt in self.forgotten:
            return False
        if trace.operation[0] in self._disturbed or not self._on_its_link(trace):
            return False
        index, server = self.index, self.server_of(trace)
        return not (index.outages and (index.is_away(trace.node, begin, end) or index.is_away(server, begin, end)))

    def _on_its_link(self, trace: Trace) -> bool:
        """Whether it went where the plan has it, past the hop that the plan has there."""
        caller, link, (receive,) = self.callers.get(trace.operation[0]), self.link_of(trace), trace.receives
        if caller is None or link is None or caller.node != trace.node:
            return False
        told = bool(trace.decisions) or PLANE_OF[link.via] != "relay"
        return told and receive.node == link.target and receive.detail.get("link") == link.name

    @cached_property
    def _disturbed(self) -> frozenset[int]:
        """The clients to whose hellos something was done."""
        hellos = self.index.hellos.items()
        return frozenset(
            client for client, hello in hellos if any(event.detail.get("act") != "pass" for event in hello.decisions)
        )

    @property
    def overtaken(self) -> frozenset[int]:
        """The orders of receipts that came after one of a higher number of the same client, to the same process."""
        return self._late_receipts[0]

    @property
    def forgotten(self) -> frozenset[int]:
        """The orders of receipts below the number that their process had forgotten of their client by then."""
        return self._late_receipts[1]

    @cached_property
    def _late_receipts(self) -> tuple[frozenset[int], frozenset[int]]:
        highest: dict[tuple[str, int, int], int] = {}
        marks: dict[tuple[str, int, int], int] = {}
        overtaken, forgotten = set(), set()
        for event in self.index.in_order(Kind.RECEIVE, Kind.TRIM):
            key, seq = (event.node, event.epoch, event.client), event.seq
            if event.kind is Kind.TRIM:
                marks[key] = max(event.detail.get("mark", 0), marks.get(key, 0))
                continue
            if seq < highest.get(key, 0):
                overtaken.add(event.order)
            else:
                highest[key] = seq
            if seq < marks.get(key, 0):
                forgotten.add(event.order)
        return frozenset(overtaken), frozenset(forgotten)

    @cached_property
    def overtaking(self) -> Overtaking:
        return Overtaking(self.index)

    @cached_property
    def last_broken(self) -> int:
        """The order at which a receiver last journalled a broken message; a plane that did names its link."""
        broken = (event.order for event in self.index.of_kind(Kind.BROKEN) if "link" not in event.detail)
        return max(broken, default=-1)
