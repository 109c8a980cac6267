"""PURE: what came before what, where no common clock says it.

Events of one clock domain are in the order of their times. Of two events in two domains, one is known to come before
the other if the estimates of their times are disjoint (orchestrator/history/clocks.py), or if it is a cause of it:

    a client's send of an attempt    the hop's decisions on its request, and its receives by a server
    a server's answer to an attempt  the hop's decisions on its reply, and its replies at the client
    the first decision on a message  what arrives of that message
    start, load (phases)             the first epochs' starts, the clients' invokes
    a restart (act)                  the start of that epoch
    a process's last record          that it was reaped
    a server's READY, its reaping    that a plane was told of it (UPSTREAM up, down)
    every completion of a call       drain (phase): it begins when all clients are done

Rule: a cause settles what the clocks leave open. Where the clocks say the contrary of a cause, they stand, so that a
checker can convict what happened before its cause.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from nodes.wire.record import COMPLETIONS, Kind
from orchestrator.history.clocks import Clock
from orchestrator.run.session import ORCHESTRATOR

Cause = Hashable
Which = Literal["first", "last"]
Place = tuple[int, int]
"""(domain, position): an event's number in the sequence of its domain."""


class Happening(Protocol):
    """What is asked of an event; see orchestrator.history.merged.Event."""

    @property
    def time(self) -> int: ...
    @property
    def domain(self) -> str: ...
    @property
    def node(self) -> str: ...
    @property
    def epoch(self) -> int: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def client(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def attempt(self) -> int: ...
    @property
    def detail(self) -> Mapping[str, object]: ...


class Span(NamedTuple):
    """When something happened, by the orchestrator's clock: not before `low` and not after `high` (ns)."""

    low: int
    high: int

    @property
    def middle(self) -> int:
        return (self.low + self.high) // 2


def span(time: int, clock: Clock | None) -> Span:
    """`clock` is that of the time's domain, None for the orchestrator's own."""
    if clock is None:
        return Span(time, time)
    there = time - clock.offset
    return Span(there - clock.error, there + clock.error)


class Contradiction(Exception):
    """Events that would each have to come before another; the text names them."""


def weave(sequences: Sequence[Sequence[Happening]], spans: Sequence[Sequence[Span]]) -> Iterator[Place]:
    """One order of every domain's sequence that keeps all that is known, and else goes by the estimated times.

    Spans must not go back within a sequence. Raises Contradiction.
    """
    causes = _causes_of(sequences, spans)
    done = [0] * len(sequences)
    while heads := [(d, done[d]) for d, sequence in enumerate(sequences) if done[d] < len(sequence)]:
        free = [head for head in heads if _free(head, heads, done, causes, spans)]
        if not free:
            told = " and ".join(_name(sequences[d][position]) for d, position in heads)
            raise Contradiction(f"{told} would each have to come after another of them")
        chosen = min(free, key=lambda head: (spans[head[0]][head[1]].middle, head[0]))
        done[chosen[0]] += 1
        yield chosen


def _free(
    head: Place,
    heads: Sequence[Place],
    done: Sequence[int],
    causes: Mapping[Place, Sequence[Place]],
    spans: Sequence[Sequence[Span]],
) -> bool:
    """Whether nothing that is left over must come before it."""
    low = spans[head[0]][head[1]].low
    return all(position < done[d] for d, position in causes.get(head, ())) and not any(
        spans[d][position].high < low for d, position in heads if d != head[0]
    )


class Precedence:
    """Which events are known to come before which, of sequences by domain and one order that `weave` made of them."""

    def __init__(
        self, sequences: Sequence[Sequence[Happening]], spans: Sequence[Sequence[Span]], order: Sequence[Place]
    ) -> None:
        causes = _causes_of(sequences, spans)
        self._reach: list[list[tuple[int, ...]]] = [[] for _ in sequences]
        passed = [[0] * len(sequences) for _ in sequences]
        for d, position in order:
            reach = list(self._reach[d][-1]) if position else [0] * len(sequences)
            reach[d] = position
            low = spans[d][position].low
            for other, found in enumerate(passed[d]):
                if other != d:
                    while found < len(spans[other]) and spans[other][found].high < low:
                        found += 1
                    passed[d][other] = found
                    self._include(reach, (other, found - 1))
            for cause in causes.get((d, position), ()):
                self._include(reach, cause)
            self._reach[d].append(tuple(reach))

    def _include(self, reach: list[int], place: Place) -> None:
        """What came before an event that came before, came before."""
        domain, position = place
        if position < reach[domain]:
            return
        for other, count in enumerate(self._reach[domain][position]):
            reach[other] = max(reach[other], count)
        reach[domain] = position + 1

    def before(self, first: Place, second: Place) -> bool:
        return self._reach[second[0]][second[1]][first[0]] > first[1]


def _causes_of(
    sequences: Sequence[Sequence[Happening]], spans: Sequence[Sequence[Span]]
) -> dict[Place, tuple[Place, ...]]:
    """Event -> its causes in other domains, but for those that the clocks contradict."""
    makers: dict[Cause, dict[int, tuple[int, int]]] = defaultdict(dict)
    for d, sequence in enumerate(sequences):
        for position, event in enumerate(sequence):
            for cause in _makes(event):
                first, _ = makers[cause].get(d, (position, position))
                makers[cause][d] = (first, position)
    found: dict[Place, tuple[Place, ...]] = {}
    for d, sequence in enumerate(sequences):
        for position, event in enumerate(sequence):
            places = (
                (other, first if which == "first" else last)
                for cause, which in _needs(event)
                for other, (first, last) in makers.get(cause, {}).items()
                if other != d
            )
            high = spans[d][position].high
            if kept := tuple(place for place in places if spans[place[0]][place[1]].low <= high):
                found[d, position] = kept
    return found


def _makes(event: Happening) -> Iterator[Cause]:
    kind, message = event.kind, (event.client, event.seq, event.attempt)
    yield ("record", event.node, event.epoch)
    if kind is Kind.SEND:
        yield ("sent", "request", message)
    elif kind is Kind.ANSWER:
        yield ("sent", "reply", message)
    elif kind is Kind.DECISION:
        yield ("decided", event.detail.get("direction"), message)
    elif kind is Kind.PHASE:
        yield ("phase", event.detail.get("phase"))
    elif kind is Kind.ACT and event.detail.get("act") == "restart":
        yield ("restart", event.detail.get("node"), event.detail.get("epoch"))
    elif kind is Kind.READY:
        yield ("ready", event.node, event.epoch)
    elif kind is Kind.REAPED:
        yield ("reaped", event.detail.get("node"), event.detail.get("epoch"))
    elif kind in COMPLETIONS:
        yield ("completed",)


def _needs(event: Happening) -> Iterator[tuple[Cause, Which]]:
    kind, message = event.kind, (event.client, event.seq, event.attempt)
    if kind is Kind.DECISION:
        yield ("sent", event.detail.get("direction"), message), "first"
    elif kind is Kind.RECEIVE or kind is Kind.REPLY:
        direction = "request" if kind is Kind.RECEIVE else "reply"
        yield ("sent", direction, message), "first"
        yield ("decided", direction, message), "first"
    elif kind is Kind.START and event.node != ORCHESTRATOR:
        yield (("phase", "start") if event.epoch == 1 else ("restart", event.node, event.epoch)), "first"
    elif kind is Kind.INVOKE:
        yield ("phase", "load"), "first"
    elif kind is Kind.REAPED:
        yield ("record", event.detail.get("node"), event.detail.get("epoch")), "last"
    elif kind is Kind.UPSTREAM:
        target = str(event.detail.get("link")).rpartition(" -> ")[2]
        yield ("ready" if event.detail.get("up") else "reaped", target, event.detail.get("epoch")), "first"
    elif kind is Kind.PHASE and event.detail.get("phase") == "drain":
        yield ("completed",), "last"


def _name(event: Happening) -> str:
    message = f" of attempt {event.attempt} of {event.client}/{event.seq}" if event.client else ""
    return f"{event.kind.name}{message} in {event.node}.{event.epoch}"
