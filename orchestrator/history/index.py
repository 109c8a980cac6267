"""PURE: a history by operation and by node, as checkers ask for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from nodes.services import has_effect
from nodes.wire.record import Kind
from orchestrator.history.merged import COMPLETIONS, Event, History, Operation, Ordered

Life = tuple[str, int]
"""(node, epoch): one process."""


class Outage(NamedTuple):
    """A node was dead or stopped from the event `begin` until the event `end` (orders; the last one is excluded).

    `life` is the process that died or was stopped; `closed` is where its link's listener was closed too.
    """

    life: Life
    begin: int
    closed: int
    end: int


class Window(NamedTuple):
    """A rule was on from the event `begin` until the event `end` (orders); its plane had it a little longer."""

    begin: int
    end: int


@dataclass
class Trace:
    """One operation's events, each list in order."""

    operation: Operation
    invoke: Event | None = None
    completion: Event | None = None
    attempts: list[Event] = field(default_factory=list)
    unconnected: list[Event] = field(default_factory=list)
    sends: list[Event] = field(default_factory=list)
    replies: list[Event] = field(default_factory=list)
    ends: list[Event] = field(default_factory=list)
    receives: list[Event] = field(default_factory=list)
    executes: list[Event] = field(default_factory=list)
    commits: list[Event] = field(default_factory=list)
    answers: list[Event] = field(default_factory=list)
    decisions: list[Event] = field(default_factory=list)
    releases: list[Event] = field(default_factory=list)
    effects: list[Event] = field(default_factory=list)

    @property
    def node(self) -> str:
        """Its client's node, "" for an operation that nobody invoked."""
        return self.invoke.node if self.invoke else ""

    @property
    def has_effect(self) -> bool:
        """Whether its procedure is declared to have an effect."""
        return self.invoke is not None and has_effect(self.invoke.detail.get("f", ""))

    @property
    def ending(self) -> str:
        """`ok`, `fail` or `info`; "" for an operation that nobody invoked."""
        return self.completion.kind.name.lower() if self.completion else ""

    def open_during(self, begin: int, end: int) -> bool:
        """Whether it was invoked before `end` and not completed before `begin`."""
        if self.invoke is None or self.completion is None:
            return False
        return self.invoke.order < end and self.completion.order > begin


_LISTS = {
    Kind.ATTEMPT: "attempts",
    Kind.UNCONNECTED: "unconnected",
    Kind.SEND: "sends",
    Kind.REPLY: "replies",
    Kind.END: "ends",
    Kind.RECEIVE: "receives",
    Kind.EXECUTE: "executes",
    Kind.COMMIT: "commits",
    Kind.ANSWER: "answers",
    Kind.DECISION: "decisions",
    Kind.RELEASE: "releases",
    Kind.EFFECT: "effects",
}


class Index:
    """What checkers ask of a history. Operation 0 of a client is its hello: `hellos` has it, `traces` has not.

    Times are the orchestrator's, by estimate where another clock told them.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.events = history.on_one_clock()
        self.traces: dict[Operation, Trace] = {}
        self.hellos: dict[int, Trace] = {}
        self.lives: dict[Life, list[Event]] = defaultdict(list)
        for event in self.events:
            if event.kind not in (Kind.EFFECT, Kind.LEDGER):
                self.lives[event.node, event.epoch].append(event)
            if event.client:
                self._add(event)

    def _add(self, event: Event) -> None:
        trace = self._trace(event.operation)
        if (name := _LISTS.get(event.kind)) is not None:
            getattr(trace, name).append(event)
        elif event.kind is Kind.INVOKE:
            trace.invoke = trace.invoke or event
        elif event.kind in COMPLETIONS:
            trace.completion = trace.completion or event

    def _trace(self, operation: Operation) -> Trace:
        client, seq = operation
        if seq == 0:
            return self.hellos.setdefault(client, Trace(operation))
        return self.traces.setdefault(operation, Trace(operation))

    @cached_property
    def ordered(self) -> Ordered:
        """Whether one event is known to have come before another; orders alone may be estimates between two clocks."""
        return self.history.ordered()

    @cached_property
    def invoked(self) -> dict[Operation, Trace]:
        """The operations that somebody invoked, in the order of their invokes."""
        invokes = (event.operation for event in self.events if event.kind is Kind.INVOKE)
        return {operation: self.traces[operation] for operation in invokes if operation in self.traces}

    @cached_property
    def end(self) -> int:
        """The order after the last event."""
        return len(self.events)

    def of_kind(self, kind: Kind) -> list[Event]:
        return self._by_kind.get(kind, [])

    @cached_property
    def _by_kind(self) -> dict[Kind, list[Event]]:
        found: dict[Kind, list[Event]] = defaultdict(list)
        for event in self.events:
            found[event.kind].append(event)
        return found

    def start(self, life: Life) -> dict[str, Any]:
        """What the process said of itself; {} if it said nothing."""
        events = self.lives.get(life)
        return events[0].detail if events and events[0].kind is Kind.START else {}

    @cached_property
    def servers(self) -> dict[str, list[int]]:
        """Server node -> its epochs, in order."""
        found: dict[str, list[int]] = {}
        for node, epoch in sorted(self.lives):
            if self.start((node, epoch)).get("role") == "server":
                found.setdefault(node, []).append(epoch)
        return found

    @cached_property
    def histories(self) -> dict[Life, int]:
        """Server process -> the id of the durable history that it found or made."""
        lives = ((node, epoch) for node, epochs in self.servers.items() for epoch in epochs)
        return {life: int(self.start(life).get("history") or 0) for life in lives}

    @cached_property
    def rows(self) -> dict[str, list[Event]]:
        """Ledger -> its rows, in the order in which they were written."""
        found: dict[str, list[Event]] = defaultdict(list)
        for event in self.of_kind(Kind.EFFECT):
            found[event.detail["ledger"]].append(event)
        return {ledger: sorted(rows, key=lambda row: int(row.detail["n"])) for ledger, rows in found.items()}

    @cached_property
    def outdated(self) -> list[Event]:
        """Rows that an epoch wrote after a later one had written to the same ledger."""
        found = []
        for rows in self.rows.values():
            newest = 0
            for row in rows:
                newest = max(newest, row.epoch)
                if row.epoch < newest:
                    found.append(row)
        return found

    @cached_property
    def reaped(self) -> dict[Life, Event]:
        """Process -> how its end was seen by whoever started it."""
        return {(event.detail["node"], event.detail["epoch"]): event for event in self.of_kind(Kind.REAPED)}

    def killed(self, life: Life) -> bool:
        event = self.reaped.get(life)
        return event is not None and bool(event.detail.get("signal"))

    def killed_at(self, life: Life) -> int | None:
        """The order from which a killed process did nothing more, None if it was not killed.

        That is its journal's last record, or the act that killed it, if that came later.
        """
        if not self.killed(life):
            return None
        events = self.lives.get(life)
        last = events[-1].order if events else self.reaped[life].order
        return max([last, *(event.order for event in self._acts("kill", life))])

    def _acts(self, act: str, life: Life) -> list[Event]:
        acts = (event for event in self.of_kind(Kind.ACT) if event.detail.get("act") == act)
        return [event for event in acts if (event.detail["node"], event.detail["epoch"]) == life]

    @cached_property
    def healed(self) -> int | None:
        """The order of heal, None if the run did not come so far."""
        return next((event.order for event in self.of_kind(Kind.PHASE) if event.detail.get("phase") == "heal"), None)

    @cached_property
    def drained(self) -> int:
        """The order at which settling ended: what completes later was not completed by its client."""
        ends = (event.order for event in self.of_kind(Kind.PHASE) if event.detail.get("phase") == "drain")
        return next(ends, self.end)

    @cached_property
    def downs(self) -> list[Outage]:
        """When servers were dead: from the death until the next epoch was ready (or for good)."""
        found = []
        for node, epochs in self.servers.items():
            for epoch in epochs:
                if (begin := self.killed_at((node, epoch))) is not None:
                    end = self._ready(node, epoch + 1)
                    found.append(Outage((node, epoch), begin, self._closed(node, epoch, begin, end), end))
        return found

    def _ready(self, node: str, epoch: int) -> int:
        events = self.lives.get((node, epoch), [])
        return next((event.order for event in events if event.kind is Kind.READY), self.end)

    def _closed(self, node: str, epoch: int, begin: int, end: int) -> int:
        """Where a client could know: the hop closed its listener, or without a hop the process was reaped."""
        for event in self.of_kind(Kind.UPSTREAM):
            ours = str(event.detail.get("link", "")).endswith(f"-> {node}")
            if ours and begin <= event.order < end and not event.detail.get("up"):
                return event.order
        reaped = self.reaped.get((node, epoch))
        return reaped.order if reaped else begin

    @cached_property
    def pauses(self) -> list[Outage]:
        """When processes were stopped: from the act or the failpoint that stopped them until their resume, or the
        act that killed them."""
        found = []
        ended: dict[Life, int] = {}
        for event in self.of_kind(Kind.ACT):
            if event.detail.get("act") in ("resume", "kill"):
                life = (event.detail["node"], event.detail["epoch"])
                begin = self._stopped(life, ended.get(life, -1), event.order)
                ended[life] = event.order
                if begin is not None:
                    found.append(Outage(life, begin, begin, event.order))
        return found

    def _stopped(self, life: Life, after: int, before: int) -> int | None:
        acts = [event.order for event in self._acts("pause", life)]
        failpoints = [event.order for event in self.lives.get(life, []) if event.kind is Kind.FAILPOINT]
        return max((order for order in (*acts, *failpoints) if after < order < before), default=None)

    @cached_property
    def windows(self) -> dict[int, list[Window]]:
        """Rule -> when its plane had it on. One that nobody switched off was on until the end."""
        found: dict[int, list[Window]] = defaultdict(list)
        begun: dict[int, int] = {}
        for event in self.of_kind(Kind.RULE):
            rule = event.detail["rule"]
            if event.detail.get("active"):
                begun.setdefault(rule, event.order)
            elif rule in begun:
                found[rule].append(Window(begun.pop(rule), event.order))
        for rule, begin in begun.items():
            found[rule].append(Window(begin, self.end))
        return dict(found)

    @cached_property
    def counted(self) -> Counter[tuple[int, str, str]]:
        """(rule, link, direction) -> packets that the kernel counted of it."""
        found: Counter[tuple[int, str, str]] = Counter()
        for event in self.of_kind(Kind.COUNTER):
            detail = event.detail
            found[detail["rule"], detail["link"], detail["direction"]] += detail["packets"]
        return found


def per_attempt(events: Iterable[Event]) -> Counter[int]:
    """How many of the events each attempt has."""
    return Counter(event.attempt for event in events)
