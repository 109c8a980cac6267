"""PURE: a history together with the cell that it is a run of."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from functools import cached_property
from typing import NamedTuple

from nodes.wire.header import client_number
from nodes.wire.record import Kind
from orchestrator.checkers.overtaking import Overtaking
from orchestrator.history.index import Index, Life, Trace
from orchestrator.history.merged import Event, Operation
from orchestrator.scenario.cell import Cell, Client, Link
from orchestrator.scenario.system import Driver


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
        self._links: dict[tuple[str, int], Link | None] = {}

    @cached_property
    def callers(self) -> dict[int, Caller]:
        """Client number -> its process, of all that the plan has."""
        return {
            client_number(ordinal, process, 1): Caller(name, ordinal, process, plan)
            for ordinal, (name, plan) in enumerate(self.cell.callers.items(), 1)
            for process in range(1, plan.clients + 1)
        }

    def link_of(self, trace: Trace) -> Link | None:
        key = trace.node, trace.operation[1]
        if key not in self._links:
            self._links[key] = self.cell.link_of(*key)
        return self._links[key]

    def server_of(self, trace: Trace) -> str:
        """The node that the operation's client calls."""
        link = self.link_of(trace)
        return link.target if link else ""

    def client_of(self, trace: Trace) -> Client | None:
        node = self.cell.nodes.get(trace.node)
        return node if isinstance(node, Client) else None

    def budget_of(self, trace: Trace) -> int | None:
        """How many attempts the operation may have; None: until settling. *Maybe* has one, whatever is said."""
        link, client = self.link_of(trace), self.client_of(trace)
        if link is not None and link.semantics == "maybe":
            return 1
        return client.retry.attempts if client else None

    @cached_property
    def _trims(self) -> dict[tuple[Life, int], list[tuple[int, int]]]:
        """(process, client) -> (order, highest mark so far) of what was forgotten, in order."""
        found: dict[tuple[Life, int], list[tuple[int, int]]] = defaultdict(list)
        for event in self.index.of_kind(Kind.TRIM):
            marks = found[(event.node, event.epoch), event.client]
            marks.append((event.order, max(event.detail["mark"], marks[-1][1] if marks else 0)))
        return found

    def mark_at(self, copy: Event) -> int:
        """Below this number its process had forgotten its client's operations when it received the copy."""
        marks = self._trims.get(((copy.node, copy.epoch), copy.client), [])
        place = bisect_left(marks, (copy.order,))
        return marks[place - 1][1] if place else 0

    @cached_property
    def overtaking(self) -> Overtaking:
        return Overtaking(self.index)

    @cached_property
    def last_broken(self) -> int:
        """The order at which a receiver last journalled a broken message; a plane that did names its link."""
        broken = (event.order for event in self.index.of_kind(Kind.BROKEN) if "link" not in event.detail)
        return max(broken, default=-1)

    @cached_property
    def highest_before(self) -> dict[int, int]:
        """Order of a receipt -> the highest number that its process had received of its client before it."""
        highest: dict[tuple[Life, int], int] = {}
        found = {}
        for event in self.index.of_kind(Kind.RECEIVE):
            key = (event.node, event.epoch), event.client
            found[event.order] = highest.get(key, 0)
            highest[key] = max(highest.get(key, 0), event.seq)
        return found

    def executions(self, operation: Operation) -> int:
        """E(id): committed effects of the operation over all epochs and ledgers."""
        trace = self.index.traces.get(operation)
        return len(trace.effects) if trace else 0
