"""PURE: a stream loses nothing in its midst: where something came through, so did what went on it before."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from itertools import chain

from chaos.decisions import Drop
from nodes.wire.record import Kind
from nodes.wire.transports import TRANSPORTS
from orchestrator.checkers.gate.names import attempt_name
from orchestrator.checkers.views import Views
from orchestrator.history.index import Trace, per_attempt
from orchestrator.history.merged import Event


def streams_keep_their_order(setting: Views) -> Iterator[str]:
    """A reply that a hop passed arrives before any that went on later over the same connection."""
    if all(TRANSPORTS[link.transport].bounded for link in setting.cell.links):
        return
    lasting = cache(partial(_last, setting))
    for trace in chain(setting.odd.values(), setting.index.hellos.values()):
        link = setting.planned_link(trace.operation) if trace.operation[1] else None
        if link is not None and TRANSPORTS[link.transport].bounded:
            continue
        for passed in _absent(trace):
            sent = next((send for send in trace.sends if send.attempt == passed.attempt), None)
            line = sent.detail.get("connection") if sent else None
            later = lasting().get((passed.client, line))
            if later is not None and _passed_after(setting, later, passed):
                yield f"{attempt_name(passed)}: its reply was passed and never came; {attempt_name(later)}, came later"


def _last(setting: Views) -> dict[tuple[int, object], Event]:
    """(client, connection) -> the last reply that came over it."""
    return {(event.client, event.detail.get("connection")): event for event in setting.index.of_kind(Kind.REPLY)}


def _absent(trace: Trace) -> Iterator[Event]:
    """Where the last reply of an attempt went on, of attempts of which fewer arrived."""
    came, copies = per_attempt(trace.replies), (event for event in trace.releases if _is_reply(event, "duplicate"))
    passed = sorted([*(event for event in trace.decisions if _is_reply(event, "pass", "duplicate")), *copies])
    counted, last = per_attempt(passed), {event.attempt: event for event in passed}
    for event in last.values():
        if counted[event.attempt] > came[event.attempt] and not _elsewhere(trace, event.attempt):
            yield event


def _elsewhere(trace: Trace, attempt: int) -> bool:
    """Whether the server answered over another connection, whose line nobody knows."""
    return len({event.detail.get("connection") for event in trace.decisions if event.attempt == attempt}) > 1


def _passed_after(setting: Views, reply: Event, passed: Event) -> bool:
    """Of several answers to an attempt any may be the one that came, also one that bits were flipped of."""
    trace = setting.index.hellos[reply.client] if reply.seq == 0 else setting.index.traces[reply.operation]
    decided = [event for event in trace.decisions if event.attempt == reply.attempt and _is_reply(event)]
    return bool(decided) and min(event.order for event in decided) > passed.order


def _is_reply(event: Event, *acts: str) -> bool:
    """`acts`: any but a loss where none is told."""
    act = event.detail.get("act")
    return event.detail.get("direction") == "reply" and (act in acts if acts else act != Drop.act)
