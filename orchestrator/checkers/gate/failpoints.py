"""PURE: a failpoint that fired was armed there, and what it says to have struck had come to it.

Rules of this file:

1. Who passes `received` or `before-send` has journalled the message just before, without a pause in between. Only
   where connections have processes of their own, what others journal may come between, and nothing of the same client.
   So the n-th passage is that of the n-th message; hellos are not counted.
2. What passes one of the writes was executed before, and is journalled as committed only after it.
3. What passes `after-send` was sent before.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

from nodes.wire.record import Kind
from orchestrator.checkers.gate.names import life_name
from orchestrator.checkers.modelled import attempt
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Event
from orchestrator.run.specs import failpoints

PASSES: Mapping[str, Kind] = MappingProxyType(
    {"received": Kind.RECEIVE, "before-send": Kind.ANSWER, "after-send": Kind.ANSWER}
)
"""Failpoint -> the message that passes it; any other one is passed by a write."""
AFTER = "after-send"
APART = "fork"
"""The engine whose connections have processes of their own, which share one journal."""


def failpoints_are_planned(setting: Views) -> Iterator[str]:
    """One that fired was armed there, at that operation and attempt or that passage, and was come to."""
    for event in setting.index.of_kind(Kind.FAILPOINT):
        armed = failpoints(setting.cell, event.node, event.epoch)
        name, where = str(event.detail.get("name")), life_name(event.life)
        spec = next((one for one in armed if _is(one, event)), None)
        if spec is None:
            yield f"{where}, was at the failpoint {name}, which the plan has not there"
        elif not _came(setting, name, event, spec["nth"]):
            yield f"{where}, was at the failpoint {name} of what it did not come to"


def _is(armed: Mapping[str, Any], line: Event) -> bool:
    named = (armed["client"], armed["seq"], armed["attempt"])
    told = all(line.detail.get(key) == armed[key] for key in ("fault", "name", "act"))
    return told and (not armed["seq"] or named == (line.client, line.seq, line.attempt))


def _came(setting: Views, name: str, line: Event, nth: int | None) -> bool:
    if name not in PASSES:
        return _executes(setting, line)
    kind = PASSES[name]
    events = setting.index.lives[line.life]
    place = bisect_left(setting.index.orders(line.life), line.order)
    if name == AFTER:
        return any(_of(event, kind, line) for event in islice(events, place))
    server = setting.cell.servers.get(line.node)
    apart = server is not None and server.engine == APART
    before = (events[n] for n in range(place - 1, -1, -1))
    latest = next((event for event in before if not apart or event.client == line.client), None)
    if latest is None or not _of(latest, kind, line):
        return False
    return nth is None or nth == sum(event.kind is kind and event.seq > 0 for event in islice(events, place))


def _of(event: Event, kind: Kind, line: Event) -> bool:
    return event.kind is kind and attempt(event) == attempt(line)


def _executes(setting: Views, line: Event) -> bool:
    """Whether it was executing that attempt."""
    trace = setting.index.traces.get(line.operation)
    if trace is None:
        return False
    before = [event for event in (*trace.executes, *trace.commits) if event.order < line.order]
    mine = [event.kind for event in before if attempt(event) == attempt(line)]
    return mine.count(Kind.EXECUTE) > mine.count(Kind.COMMIT)
