"""PURE: no connection waits while one other has its turn again and again (bounded bypass: Lynch, "Distributed
Algorithms", 1996, section 10.3).

Rules of this file:

1. A run is what a server receives from one connection, with nothing from another in between. A message is passed over
   by a run of another connection that comes between its sending and its receipt.
2. A run is long if it is of MANY receipts and lasts LONG. A fair engine lets others on after 64 operations, and who
   gets no CPU for a while (a client, its hop, a connection's own process) is a tenth of a second late. One of the two
   would not do: a quick server receives thousands in that time, and one that gets no CPU itself a few in a second.
3. A message waits for nobody but its server if what its client had sent before over that connection was answered, and
   its hop let it pass. How long others are on their way is not known; nor is it where planes are at work that see no
   messages, or where what clocks may be wrong is much of what is LONG.
4. A message tries the server if it was passed over, or if, when it was sent, another connection had begun and had a
   long run of receipts before it, whether others came in between or not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from chaos.supports import WITHOUT_MESSAGES
from nodes.units import MILLISECOND
from nodes.wire.record import Kind
from nodes.wire.transports import TRANSPORTS
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, Life

name = "fair"
needs = frozenset({View.JOURNALS, View.TURNS})

MANY = 1_000
LONG = 250 * MILLISECOND
ASTRAY = LONG // 10
"""The most that two clocks may be wrong against each other."""

Line = tuple[Life, str, int]
"""A connection of a server's: its process, the link, its number."""


@dataclass(slots=True)
class Turns:
    """Receipts of one connection, in order."""

    line: Line
    orders: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    @property
    def begin(self) -> int:
        return self.orders[0]

    @property
    def end(self) -> int:
        return self.orders[-1]

    def take(self, event: Event) -> None:
        self.orders.append(event.order)
        self.times.append(event.time)

    @property
    def last_long(self) -> int:
        """The place of the last of them with which a long run begins; below 0 if there is none."""
        return min(len(self.orders) - MANY, bisect_right(self.times, self.times[-1] - LONG) - 1)

    def long_after(self, order: int) -> bool:
        """Whether what came after that is."""
        return bisect_left(self.orders, order) <= self.last_long


class Noise(NamedTuple):
    """From a connection's first receipt to the last with which a long run begins."""

    line: Line
    begin: int
    end: int


class Message(NamedTuple):
    """When it was on its way to its server, and when it came."""

    trace: Trace
    line: Line
    sent: Event
    received: Event


def check(setting: Views) -> Finding:
    """The work is linear in the receipts, with a logarithm for each message."""
    runs, noises = _heard(setting) if _is_known(setting) else ([], [])
    if not noises:
        return Finding(name, (), {"tried": 0})
    long, loud = Intervals(runs), Intervals(noises)
    tried, violations = 0, []
    for message in sorted(_messages(setting), key=lambda message: message.sent.order):
        order = message.sent.order
        passing = next(_passing(long, message), None)
        tried += passing is not None or any(noise.line != message.line for noise in loud.meeting(order, order + 1))
        if passing is not None:
            violations.append(Violation(message.trace.operation, _told(message, passing)))
    return Finding(name, tuple(violations), {"tried": tried})


def _told(message: Message, run: Turns) -> str:
    time = (message.received.time - message.sent.time) // MILLISECOND
    many = len(run.orders) - bisect_left(run.orders, message.sent.order)
    (node, _), _, connection = run.line
    return f"{node} received it after {time} ms, and meanwhile {many} messages of its connection {connection} in a row"


# Rules 1 and 2


def _heard(setting: Views) -> tuple[list[Turns], list[Noise]]:
    """Every long run, and what was noisy."""
    runs: list[Turns] = []
    now: dict[Life, Turns] = {}
    by_line: dict[Line, Turns] = {}
    lines = _Lines(setting)
    for event in setting.index.in_order(Kind.RECEIVE, Kind.BROKEN):
        line = lines.of(event)
        run = now.get(event.life)
        if run is not None and run.line != line:
            runs += [run] if run.last_long >= 0 else []
            del now[event.life]
        if line is not None:
            now.setdefault(event.life, Turns(line)).take(event)
            by_line.setdefault(line, Turns(line)).take(event)
    runs += [run for run in now.values() if run.last_long >= 0]
    loud = [turns for turns in by_line.values() if turns.last_long >= 0]
    return runs, [Noise(turns.line, turns.begin, turns.orders[turns.last_long]) for turns in loud]


class _Lines:
    """Tells of whose connection a server received something."""

    def __init__(self, setting: Views) -> None:
        self._connected = {link.name for link in setting.cell.links if TRANSPORTS[link.transport].connected}
        links: dict[str, list[str]] = defaultdict(list)
        for link in setting.cell.links:
            links[link.target].append(link.name)
        self._only: Mapping[str, str] = {node: names[0] for node, names in links.items() if len(names) == 1}

    def of(self, event: Event) -> Line | None:
        """None where that is not known: of datagrams, and of what was broken where it could be of several links."""
        link = event.detail.get("link") if event.kind is Kind.RECEIVE else self._only.get(event.node)
        return (event.life, link, event.detail["connection"]) if link in self._connected else None


# Rule 3


def _is_known(setting: Views) -> bool:
    at_work = {event.node for event in setting.index.of_kind(Kind.RULE)}
    wrong = max((clock.error for clock in setting.index.history.clocks), default=0)
    return 2 * wrong <= ASTRAY and WITHOUT_MESSAGES.isdisjoint(at_work)


def _messages(setting: Views) -> Iterator[Message]:
    """Those that wait for nobody but their server."""
    lines = _Lines(setting)
    sent: dict[tuple[int, str, int], list[tuple[Event, Trace]]] = defaultdict(list)
    for trace in setting.index.traces.values():
        link = setting.planned_link(trace.operation)
        for send in trace.sends if link is not None else ():
            assert link is not None
            sent[send.client, link.name, send.detail["connection"]].append((send, trace))
    for one in sent.values():
        answered = 0.0
        for send, trace in sorted(one, key=lambda each: each[0].order):
            if answered < send.order:
                yield from _message(lines, send, trace)
            answered = max(answered, _first(trace.replies, send))


def _first(events: list[Event], send: Event) -> float:
    """The order of the first that is of the same attempt."""
    return next((event.order for event in events if event.attempt == send.attempt), float("inf"))


def _message(lines: _Lines, send: Event, trace: Trace) -> Iterator[Message]:
    decided = [event for event in trace.decisions if event.attempt == send.attempt]
    asked = [event for event in decided if event.detail["direction"] == "request"]
    received = next((event for event in trace.receives if event.attempt == send.attempt), None)
    line = lines.of(received) if received is not None else None
    if received is not None and line is not None and all(event.detail["act"] == "pass" for event in asked):
        yield Message(trace, line, asked[0] if asked else send, received)


def _passing(long: Intervals[Turns], message: Message) -> Iterator[Turns]:
    """The runs that passed the message over."""
    for run in long.meeting(message.sent.order, message.received.order):
        if run.line[0] == message.line[0] and run.line != message.line and run.long_after(message.sent.order):
            yield run
