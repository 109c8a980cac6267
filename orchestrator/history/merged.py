"""PURE: a run's merged history, the input of every checker.

Rules of this file:

1. Within one clock domain times order events, and every journal keeps its own order: a program says what it did
   in the order in which it did it, even where two readings of the clock are equal.
2. An event keeps its own clock's time. Across domains, `order` goes by causes and by estimated times, and
   `ordered` says of two events whether that is more than a guess (causality.py). Journals of a domain
   whose clock nobody compared are refused.
3. Every invoke has a completion: the loader closes an open one as `info`, and says that it did.
4. Effects come last: they are read after draining and say nothing of when they happened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, Protocol, runtime_checkable

from nodes.wire.record import COLLECTED, COMPLETIONS, Kind, Record
from orchestrator.history.causality import Contradiction, Place, Precedence, Span, span, weave
from orchestrator.history.clocks import Clock

Operation = tuple[int, int]
"""(client, seq)"""
Life = tuple[str, int]
"""(node, epoch): one process."""
Ordered = Callable[["Event", "Event"], bool]
Timed = tuple[int, str, int, Record]
"""The time that a record is merged by; the node and the epoch that it is of."""


class HistoryError(Exception):
    """A history that cannot be made or read. The message says what is wrong, where, and what was expected."""


class Event(NamedTuple):
    """One record of one process's journal, or of the orchestrator's, or a ledger's row (kind EFFECT)."""

    order: int
    time: int
    domain: str
    node: str
    epoch: int
    kind: Kind
    client: int
    seq: int
    attempt: int
    process: int
    detail: dict[str, Any]

    @property
    def operation(self) -> Operation:
        return (self.client, self.seq)

    @property
    def life(self) -> Life:
        """The process that journalled it."""
        return (self.node, self.epoch)


Row = tuple[Any, ...]
"""An event's values, as `Event` names them: of those that are looked at once and forgotten nobody makes one."""
event_of: Callable[[Row], Event] = partial(tuple.__new__, Event)


@runtime_checkable
class Shiftable(Protocol):
    """Events that are not held (orchestrator/history/stored.py): `offsets` is domain -> what to take off its times."""

    def shifted(self, offsets: Mapping[str, int]) -> Sequence[Event]: ...


class History(NamedTuple):
    """`events` are in causal order as far as it is known: by time within a clock domain, journals kept in order.

    `clocks` are those of the domains other than the orchestrator's; without any, every event has one clock's time.
    `plan` is the digest of the plan that the run was made from, "" where nobody said (orchestrator/sweep/store.py).
    """

    evidence: str
    events: Sequence[Event]
    clocks: tuple[Clock, ...] = ()
    plan: str = ""

    def on_one_clock(self) -> Sequence[Event]:
        """The events with the times that the orchestrator's clock would have shown, by estimate."""
        offsets = {clock.domain: clock.offset for clock in self.clocks}
        if not offsets:
            return self.events
        if isinstance(self.events, Shiftable):
            return self.events.shifted(offsets)
        return tuple(event._replace(time=event.time - offsets.get(event.domain, 0)) for event in self.events)

    def ordered(self) -> Ordered:
        """-> ordered(a, b): whether `a` is known to have come before `b`. Of two domains, neither may be known.

        Making it takes a pass over the events; each question then takes no time.
        """
        if not self.clocks:
            return lambda first, second: first.order < second.order
        return _ordered(self)


class Ledger(NamedTuple):
    """One ledger file as it was found after draining; `node` is its server's name.

    `effects` are its rows (n, client, seq, intent, epoch, attempt, result); `history` is its history id.
    """

    name: str
    node: str
    archived: bool
    effects: Sequence[tuple[int, int, int, int, int, int, Any]]
    state: Mapping[str, Any]
    history: int


def merge(
    journals: Mapping[tuple[str, int], Sequence[Record]], ledgers: Iterable[Ledger] = (), clocks: Iterable[Clock] = ()
) -> History:
    """One history of the journals by (node, epoch) and the ledgers. Raises HistoryError for mixed evidence."""
    evidence = _one("kind of evidence", _said(journals, "evidence"))
    known = _best(clocks)
    own = _one(
        "clock domain", {domain: who for domain, who in _said(journals, "domain").items() if domain not in known}
    )
    tracks: dict[str, list[Iterator[Timed]]] = defaultdict(list)
    for (node, epoch), records in sorted(journals.items()):
        domain = str(_start(records).get("domain", own))
        tracks[domain].append(_track(node, epoch, records))
    used = tuple(clock for domain, clock in sorted(known.items()) if domain in tracks)
    merged = _merged(tracks, used)
    end = max((event.time for event in History(evidence, merged, used).on_one_clock()), default=0)
    further = list(_closed(merged, end, used))
    for ledger in sorted(ledgers, key=lambda ledger: ledger.name):
        further.extend(_effects(ledger, end, own))
    merged.extend(event._replace(order=order) for order, event in enumerate(further, len(merged)))
    return History(evidence, tuple(merged), used)


def _best(clocks: Iterable[Clock]) -> dict[str, Clock]:
    """One clock for each domain, as well as it is known."""
    return {clock.domain: clock for clock in sorted(clocks, key=lambda clock: -clock.error)}


def _start(records: Sequence[Record]) -> Mapping[str, Any]:
    """What a journal says of itself; one without a start is the evidence gate's affair."""
    return (records[0].detail or {}) if records and records[0].kind is Kind.START else {}


def _said(journals: Mapping[tuple[str, int], Sequence[Record]], key: str) -> dict[str, str]:
    """What journals say of themselves -> one that says it."""
    said = {}
    for (node, epoch), records in sorted(journals.items()):
        if start := _start(records):
            said[str(start.get(key, ""))] = f"{node}.{epoch}"
    return said


def _one(what: str, said: Mapping[str, str]) -> str:
    if len(said) > 1:
        told = "; ".join(f"{journal} has {value!r}" for value, journal in said.items())
        raise HistoryError(f"journals of more than one {what} cannot be merged: {told}")
    return next(iter(said), "")


def _merged(tracks: Mapping[str, Sequence[Iterator[Timed]]], clocks: Sequence[Clock]) -> list[Event]:
    """The events of all domains; of one, by their times alone. What is told at one time is in the order of journals."""
    known = {clock.domain: clock for clock in clocks}
    sequences = {domain: sorted(chain(*found), key=itemgetter(0)) for domain, found in tracks.items()}
    events = [_events(domain, timed) for domain, timed in sequences.items()]
    if len(events) == 1:
        return events[0]
    spans = [[span(time, known.get(domain)) for time, *_ in timed] for domain, timed in sequences.items()]
    try:
        woven = [events[d][position] for d, position in weave(events, spans)]
    except Contradiction as error:
        raise HistoryError(
            f"the journals contradict one another, or their clocks were compared badly: {error}"
        ) from None
    return [event._replace(order=order) for order, event in enumerate(woven)]


def _events(domain: str, timed: Iterable[Timed]) -> list[Event]:
    """Numbered from 0."""
    make = tuple.__new__  # each is made of all its fields: `Event` would take twice as long
    return [
        make(Event, (order, time, domain, node, epoch, kind, client, seq, attempt, process, detail or {}))
        for order, (_, node, epoch, (time, kind, client, seq, attempt, process, detail)) in enumerate(timed)
    ]


def _ordered(history: History) -> Ordered:
    """Collected events come after all others, in their order."""
    known = {clock.domain: clock for clock in history.clocks}
    numbers = {domain: d for d, domain in enumerate(dict.fromkeys(event.domain for event in history.events))}
    sequences: list[list[Event]] = [[] for _ in numbers]
    spans: list[list[Span]] = [[] for _ in numbers]
    places: dict[int, Place] = {}
    for event in history.events:
        if event.kind not in COLLECTED:
            d = numbers[event.domain]
            latest = max(event.time, sequences[d][-1].time) if sequences[d] else event.time
            places[event.order] = (d, len(sequences[d]))
            sequences[d].append(event._replace(time=latest))
            spans[d].append(span(latest, known.get(event.domain)))
    precedence = Precedence(sequences, spans, list(places.values()))

    def ordered(first: Event, second: Event) -> bool:
        if first.order in places and second.order in places:
            return precedence.before(places[first.order], places[second.order])
        return first.order < second.order

    return ordered


def _track(node: str, epoch: int, records: Iterable[Record]) -> Iterator[Timed]:
    """A journal's records, each with the time to merge by, which never goes back within a journal."""
    latest: int | None = None
    for record in records:
        time = record[0]
        if latest is None or time > latest:
            latest = time
        yield latest, node, epoch, record


def _closed(events: Sequence[Event], end: int, clocks: Iterable[Clock]) -> Iterator[Event]:
    """`info` for each invoke without a completion, at the end: nobody knows whether it was executed."""
    offsets = {clock.domain: clock.offset for clock in clocks}
    open_invokes: dict[Operation, Event] = {}
    for event in events:
        if event.kind is Kind.INVOKE:
            open_invokes[event.operation] = event
        elif event.kind in COMPLETIONS:
            open_invokes.pop(event.operation, None)
    for event in open_invokes.values():
        time = end + offsets.get(event.domain, 0)
        yield event._replace(time=time, kind=Kind.INFO, detail={"error": "open at the end", "closed": True})


def _effects(ledger: Ledger, time: int, domain: str) -> Iterator[Event]:
    for n, client, seq, intent, epoch, attempt, result in ledger.effects:
        detail = {"n": n, "intent": intent, "epoch": epoch, "result": result, "ledger": ledger.name}
        yield Event(0, time, domain, ledger.node, epoch, Kind.EFFECT, client, seq, attempt, 0, detail)
    whole = {
        "ledger": ledger.name,
        "state": dict(ledger.state),
        "history": ledger.history,
        "archived": ledger.archived,
    }
    yield Event(0, time, domain, ledger.node, 0, Kind.LEDGER, 0, 0, 0, 0, whole)
