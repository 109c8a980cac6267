"""PURE: a run's merged history, the input of every checker.

Rules of this file:

1. Within one clock domain times order events, and every journal keeps its own order: a program says what it did
   in the order in which it did it, even where two readings of the clock are equal.
2. Times of two clock domains cannot be compared, so journals of more than one are refused.
3. Every invoke has a completion: the loader closes an open one as `info`, and says that it did.
4. Effects come last: they are read after draining and say nothing of when they happened.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nodes.wire.record import Kind, Record

Operation = tuple[int, int]
COMPLETIONS = frozenset({Kind.OK, Kind.FAIL, Kind.INFO})


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


class History(NamedTuple):
    """`events` are in causal order as far as it is known: by time within a clock domain, journals kept in order."""

    evidence: str
    events: tuple[Event, ...]


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


def merge(journals: Mapping[tuple[str, int], Sequence[Record]], ledgers: Iterable[Ledger] = ()) -> History:
    """One history of the journals by (node, epoch) and the ledgers. Raises HistoryError for mixed evidence."""
    domain = _one("clock domain", journals, "domain")
    evidence = _one("kind of evidence", journals, "evidence")
    tracks = [_track(node, epoch, records, domain) for (node, epoch), records in sorted(journals.items())]
    merged = [event for _, event in heapq.merge(*tracks, key=lambda pair: pair[0])]
    merged.extend(_closed(merged))
    end = max((event.time for event in merged), default=0)
    for ledger in sorted(ledgers, key=lambda ledger: ledger.name):
        merged.extend(_effects(ledger, end, domain))
    return History(evidence, tuple(event._replace(order=order) for order, event in enumerate(merged)))


def _one(what: str, journals: Mapping[tuple[str, int], Sequence[Record]], key: str) -> str:
    """What every journal says of itself at its start; a journal without a start is the evidence gate's affair."""
    said = {
        str((records[0].detail or {}).get(key, "")): f"{node}.{epoch}"
        for (node, epoch), records in sorted(journals.items())
        if records and records[0].kind is Kind.START
    }
    if len(said) > 1:
        told = "; ".join(f"{journal} has {value!r}" for value, journal in said.items())
        raise HistoryError(f"journals of more than one {what} cannot be merged: {told}")
    return next(iter(said), "")


def _track(node: str, epoch: int, records: Iterable[Record], domain: str) -> Iterator[tuple[int, Event]]:
    """The journal's events, each with the time to merge by, which never goes back within a journal."""
    latest = 0
    for time, kind, client, seq, attempt, process, detail in records:
        latest = max(latest, time)
        yield latest, Event(0, time, domain, node, epoch, kind, client, seq, attempt, process, detail or {})


def _closed(events: Sequence[Event]) -> Iterator[Event]:
    """`info` for each invoke without a completion: nobody knows whether it was executed."""
    open_invokes: dict[Operation, Event] = {}
    for event in events:
        if event.kind is Kind.INVOKE:
            open_invokes[event.operation] = event
        elif event.kind in COMPLETIONS:
            open_invokes.pop(event.operation, None)
    end = max((event.time for event in events), default=0)
    for event in open_invokes.values():
        yield event._replace(time=end, kind=Kind.INFO, detail={"error": "open at the end", "closed": True})


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
