"""PURE: a history by operation and by node, as checkers ask for it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from nodes.wire.record import Kind
from orchestrator.history.courses import Courses as Courses
from orchestrator.history.grouped import held, stored
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, History, Life, Operation, Ordered
from orchestrator.history.passing import Firsts, Passer, Receipts, Rows, Written, pass_by
from orchestrator.history.stored import Picked, Stored, chosen, picked
from orchestrator.history.straight import Course as Course
from orchestrator.history.trace import Trace as Trace
from orchestrator.history.trace import timed_out

P = TypeVar("P", bound=Passer)


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


class Index:
    """What checkers ask of a history. Operation 0 of a client is its hello: `hellos` has it, `traces` has not.

    Times are the orchestrator's, by estimate where another clock told them.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.events = history.on_one_clock()
        grouped = stored(self.events) if isinstance(self.events, Stored) else held(self.events)
        self.traces = grouped.traces
        self.invoked: Mapping[Operation, Trace] = grouped.invoked
        """The operations that somebody invoked, in the order of their invokes."""
        self.courses = grouped.courses
        """How the operations went to which nothing happened, or to which the same did as to others."""
        self.hellos: dict[int, Trace] = grouped.hellos
        self.strangers: dict[Operation, Trace] = grouped.strangers
        self.lives: Mapping[Life, Sequence[Event]] = grouped.lives
        self.columns = grouped.columns
        """Of a history that is not held."""
        self._passing = grouped.passing
        self._by_kind: Mapping[Kind, Sequence[Event]] = grouped.kinds

    @cached_property
    def ordered(self) -> Ordered:
        """Whether one event is known to have come before another; orders alone may be estimates between two clocks."""
        return self.history.ordered()

    @cached_property
    def end(self) -> int:
        """The order after the last event."""
        return len(self.events)

    def of_kind(self, kind: Kind) -> Sequence[Event]:
        return self._by_kind.get(kind, ())

    def in_order(self, *kinds: Kind) -> Iterator[Event]:
        """The events of these kinds."""
        some = [self.of_kind(kind) for kind in kinds]
        if isinstance(self.events, Stored):
            orders = (found.orders for found in some if isinstance(found, Picked))
            return picked(self.events, sorted(chain.from_iterable(orders)))
        return iter(sorted(chain.from_iterable(some)))

    @cached_property
    def receipts(self) -> Receipts:
        return (self._passing and self._passing.receipts) or self._passed(Receipts())

    @cached_property
    def ahead(self) -> list[tuple[Event, int]]:
        """What was sent with a first incomplete number above the lowest open one of its client, which that is."""
        return ((self._passing and self._passing.firsts) or self._passed(Firsts())).ahead

    @cached_property
    def ledgers(self) -> Mapping[str, Written]:
        """Their rows, by name."""
        return ((self._passing and self._passing.rows) or self._passed(Rows())).ledgers

    def _passed(self, passer: P) -> P:
        pass_by(self.in_order(*passer.looks), passer)
        return passer

    @cached_property
    def gone_back(self) -> frozenset[Life]:
        """The processes whose clock did."""
        if self.columns is not None and self.columns.in_time:
            return frozenset()
        times = ((life, [event.time for event in events]) for life, events in self.lives.items())
        return frozenset(life for life, clock in times if clock != sorted(clock))

    def orders(self, life: Life) -> Sequence[int]:
        """Of what the process journalled."""
        events = self.lives[life]
        return events.orders if isinstance(events, Picked) else [event.order for event in events]

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
    def rows(self) -> dict[str, Sequence[Event]]:
        """Ledger -> its rows, in the order in which they were written."""
        every = {name: [rows.orders[place] for place in rows.places] for name, rows in self.ledgers.items()}
        return {name: chosen(self.events, orders) for name, orders in every.items()}

    @cached_property
    def outdated(self) -> list[Event]:
        """Rows that an epoch wrote after a later one had written to the same ledger."""
        found = []
        for rows in self.ledgers.values():
            newest = 0
            for place in rows.places if len(set(rows.epochs)) > 1 else ():
                newest = max(newest, rows.epochs[place])
                if rows.epochs[place] < newest:
                    found.append(self.events[rows.orders[place]])
        return found

    @cached_property
    def reaped(self) -> dict[Life, Event]:
        """Process -> how its end was seen by whoever started it."""
        ends = self.of_kind(Kind.REAPED)
        return {(event.detail.get("node", ""), event.detail.get("epoch", 0)): event for event in ends}

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
        return max([last, *(event.order for event in self.acts.get(("kill", life), ()))])

    @cached_property
    def acts(self) -> dict[tuple[str, Life], list[Event]]:
        """(act, process) -> when it was done to it."""
        found: dict[tuple[str, Life], list[Event]] = defaultdict(list)
        for event in self.of_kind(Kind.ACT):
            detail = event.detail
            found[detail.get("act", ""), (detail.get("node", ""), detail.get("epoch", 0))].append(event)
        return dict(found)

    @cached_property
    def by_fault(self) -> dict[int | None, list[Event]]:
        """Fault -> what was done to processes for its sake."""
        found: dict[int | None, list[Event]] = defaultdict(list)
        for event in self.of_kind(Kind.ACT):
            found[event.detail.get("fault")].append(event)
        return dict(found)

    def done_by(self, fault: int, act: str) -> list[Event]:
        return [event for event in self.by_fault.get(fault, ()) if event.detail.get("act") == act]

    def next_act(self, acts: Iterable[str], node: str, after: int) -> int:
        """The order at which one of these was next done to a process of the node; the end if none was."""
        return min((next_after(self._done_to.get((act, node), ()), after, self.end) for act in acts), default=self.end)

    @cached_property
    def _done_to(self) -> dict[tuple[str, str], list[int]]:
        """(act, node) -> when."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for event in self.of_kind(Kind.ACT):
            found[event.detail.get("act", ""), event.detail.get("node", "")].append(event.order)
        return dict(found)

    @cached_property
    def failpoints(self) -> dict[Life, list[Event]]:
        """Process -> its lines of failpoints."""
        return self._by_life(Kind.FAILPOINT)

    @cached_property
    def usage(self) -> dict[Life, list[Event]]:
        """Server process -> what it says that it used, in order."""
        return self._by_life(Kind.USAGE)

    def _by_life(self, kind: Kind) -> dict[Life, list[Event]]:
        found: dict[Life, list[Event]] = defaultdict(list)
        for event in self.of_kind(kind):
            found[event.life].append(event)
        return dict(found)

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
        ready = {life: events[0].order for life, events in self._by_life(Kind.READY).items()}
        found = []
        for node, epochs in self.servers.items():
            for epoch in epochs:
                if (begin := self.killed_at((node, epoch))) is not None:
                    end = ready.get((node, epoch + 1), self.end)
                    found.append(Outage((node, epoch), begin, self._closed(node, epoch, begin, end), end))
        return found

    def _closed(self, node: str, epoch: int, begin: int, end: int) -> int:
        """Where a client could know: the hop closed its listener, or without a hop the process was reaped."""
        closed = next_after(self._closings.get(node, ()), begin - 1, end)
        if closed < end:
            return closed
        reaped = self.reaped.get((node, epoch))
        return reaped.order if reaped else begin

    @cached_property
    def _closings(self) -> dict[str, list[int]]:
        """Node -> when hops closed their listeners for it."""
        found: dict[str, list[int]] = defaultdict(list)
        for event in self.of_kind(Kind.UPSTREAM):
            if not event.detail.get("up"):
                found[str(event.detail.get("link", "")).rpartition("-> ")[2]].append(event.order)
        return found

    @cached_property
    def pauses(self) -> list[Outage]:
        """When processes were stopped: from the act or the failpoint that stopped them until their resume, or the
        act that killed them."""
        found = []
        ended: dict[Life, int] = {}
        for event in self.of_kind(Kind.ACT):
            if event.detail.get("act") in ("resume", "kill"):
                life = (event.detail.get("node", ""), event.detail.get("epoch", 0))
                stops = self._stops.get(life, [])
                place = bisect_left(stops, event.order)
                if place and stops[place - 1] > ended.get(life, -1):
                    found.append(Outage(life, stops[place - 1], stops[place - 1], event.order))
                ended[life] = event.order
        return found

    @cached_property
    def _stops(self) -> dict[Life, list[int]]:
        """Process -> where acts or failpoints stopped it, or could have."""
        found: dict[Life, list[int]] = defaultdict(list)
        for (act, life), events in self.acts.items():
            if act == "pause":
                found[life].extend(event.order for event in events)
        for life, events in self.failpoints.items():
            found[life].extend(event.order for event in events)
        return {life: sorted(orders) for life, orders in found.items()}

    def away(self, node: str, begin: int, end: int) -> Iterator[Outage]:
        """When the node was dead or stopped: of that, what began before `end` and ended after `begin` (orders)."""
        return self._away[node].meeting(begin, end) if node in self._away else iter(())

    @property
    def outages(self) -> bool:
        """Whether anybody was ever dead or stopped."""
        return bool(self._away)

    def is_away(self, node: str, begin: int, end: int) -> bool:
        return next(self.away(node, begin, end), None) is not None

    def died_before(self, node: str, order: int) -> list[int]:
        """The order at which a server last died before that one, if it did."""
        deaths = self._deaths.get(node, [])
        place = bisect_left(deaths, order)
        return deaths[max(place - 1, 0) : place]

    @cached_property
    def _deaths(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for outage in self.downs:
            found[outage.life[0]].append(outage.begin)
        return {node: sorted(deaths) for node, deaths in found.items()}

    @cached_property
    def _away(self) -> dict[str, Intervals[Outage]]:
        found: dict[str, list[Outage]] = defaultdict(list)
        for outage in (*self.downs, *self.pauses):
            found[outage.life[0]].append(outage)
        return {node: Intervals(outages) for node, outages in found.items()}

    def dead(self, node: str, begin: int, end: int) -> Iterator[Outage]:
        """As `away`, without those in which it was stopped."""
        return (outage for outage in self.away(node, begin, end) if outage in self._downs)

    @cached_property
    def _downs(self) -> frozenset[Outage]:
        return frozenset(self.downs)

    @cached_property
    def sends(self) -> dict[int, list[Event]]:
        """Client -> what it sent, in order."""
        found: dict[int, list[Event]] = defaultdict(list)
        for event in self.of_kind(Kind.SEND):
            found[event.client].append(event)
        return found

    @cached_property
    def cuts(self) -> dict[tuple[int, Any], int]:
        """(client, connection) -> where the last of its calls that were open saw it end, but for its own timeouts."""
        ends = (event for event in self.of_kind(Kind.END) if not timed_out(event))
        return {(event.client, event.detail.get("connection")): event.order for event in ends}

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
    counts = Counter[int]()
    for event in events:
        counts[event.attempt] = counts.get(event.attempt, 0) + 1
    return counts


def next_after(orders: Sequence[int], after: int, otherwise: int) -> int:
    """The first of them above `after`."""
    place = bisect_right(orders, after)
    return orders[place] if place < len(orders) else otherwise
