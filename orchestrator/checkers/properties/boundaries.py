"""PURE: what is taken for a message is one that was sent, whole, however it came: in parts, or with others.

Rules of this file:

1. A server takes what its client sent, and a client for an echo what it had sent.
2. What comes over a stream and is none (BROKEN) is a message of which a boundary was missed: the first that had been
   sent and not received by then.
3. Not compared is what a fault altered: a `corrupt`, and from a `truncate` or a `cut` on what comes in parts.
4. A boundary can only be missed where it is not that of a read: of messages that came in several reads, or with others
   in one. A transport that keeps boundaries is tried by every message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from nodes.wire.record import Kind
from nodes.wire.transports import TRANSPORTS
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.messages import exchanges
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event

name = "boundaries"
needs = frozenset({View.JOURNALS, View.MESSAGES})

ALTERING = frozenset({"corrupt", "truncate", "cut"})


def check(setting: Views) -> Finding:
    found = list(exchanges(setting))
    streams = [trace for link, trace in found if not TRANSPORTS[link.transport].bounded]
    counts = {**_tried(streams), "bounded": sum(len(trace.receives) for _, trace in found) - _received(streams)}
    other = [violation for _, trace in found for violation in _other(trace)]
    return Finding(name, (*other, *_broken(setting, streams)), counts)


def _received(streams: list[Trace]) -> int:
    return sum(len(trace.receives) for trace in streams)


# Rule 1


def _other(trace: Trace) -> Iterator[Violation]:
    sent = trace.invoke.detail.get("value") if trace.invoke else None
    for event in () if trace.corrupted("request") else trace.executes:
        if event.detail.get("value") != sent:
            yield Violation(trace.operation, f"{event.node} took {event.detail.get('value')!r} for it; it was {sent!r}")
    for event in () if trace.corrupted("request") | trace.corrupted("reply") else trace.replies:
        if event.detail.get("value") != sent:
            told = f"its client took {event.detail.get('value')!r} for its echo; it was {sent!r}"
            yield Violation(trace.operation, told)


# Rules 2 and 3


def _broken(setting: Views, streams: list[Trace]) -> Iterator[Violation]:
    decided = setting.suspected(Kind.DECISION)
    altered = min((event.order for event in decided if event.detail.get("act") in ALTERING), default=None)
    for event in setting.index.of_kind(Kind.BROKEN):
        if "link" in event.detail or (altered is not None and altered < event.order):
            continue
        missed = min((trace for trace in streams if _is_due(trace, event)), key=_sent, default=None)
        if missed is not None:
            reason = event.detail.get("reason")
            yield Violation(missed.operation, f"where it was due {event.node} found what is none ({reason})")


def _is_due(trace: Trace, broken: Event) -> bool:
    """Whether it was sent to whoever found what is none, and not received by then."""
    if broken.client:  # a client says whose it is
        came = trace.replies
        if trace.operation[0] != broken.client:
            return False
    else:
        came = trace.receives
    return _sent(trace) < broken.order and not (came and came[0].order < broken.order)


def _sent(trace: Trace) -> int:
    return trace.sends[0].order


# Rule 4


def _tried(streams: list[Trace]) -> dict[str, int]:
    """How many messages came in parts, and how many in a read with others: by whoever received or cut them."""
    received = (event for trace in streams for event in trace.receives)
    ended = Counter((event.life, event.detail.get("connection"), _reads(event)[1]) for event in received)
    return {"split": sum(map(_split, streams)), "joined": sum(count for count in ended.values() if count > 1)}


def _split(trace: Trace) -> int:
    """In how many directions it came in parts."""
    cut = {event.detail.get("direction") for event in trace.decisions if event.detail.get("act") == "slice"}
    parts = any(begun < ended for begun, ended in map(_reads, trace.receives))
    return (parts or bool(trace.receives and "request" in cut)) + bool(trace.replies and "reply" in cut)


def _reads(received: Event) -> tuple[int, int]:
    """In which reads of its connection it began and ended."""
    begun, ended = received.detail.get("reads", (0, 0))
    return begun, ended
