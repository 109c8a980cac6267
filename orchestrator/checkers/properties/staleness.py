"""PURE: a read returns no value that was overwritten by a call completed before the read was invoked.

A read is a call without an effect, of a service that has some. What it returns in which state says the service's model,
replayed over the rows of the server's ledgers.

Rules of this file:

1. A read could have been stale, and counts, if the completed calls had changed what it returns.
2. It is stale if the newest state in which it returns that, of those that may have been there by its end, is older than
   the newest row of a completed call.
3. A server that was started without its state begins again with the oldest of all states, which was overwritten.
4. Nothing is said of a value that no such state gives (*valid* does), nor of a server whose rows its model cannot
   follow: two processes wrote beside one another, or the copies of a call had been altered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.modelled import Timeline, call
from orchestrator.checkers.names import operation_name
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event, Operation

name = "staleness"
needs = frozenset({View.JOURNALS, View.READS})


def check(setting: Views) -> Finding:
    checked, violations = 0, []
    for server in setting.cell.servers:
        timeline = setting.timelines.get(server)
        if timeline is None:
            continue
        reads = [trace for trace in setting.reads if setting.server_of(trace) == server and trace.ending == "ok"]
        for read, completed in _completed(setting, timeline, reads):
            newest = _newest(setting, timeline, read)
            if newest is None or not timeline.changed(call(_invoke(read)), completed):
                continue
            checked += 1
            if newest < completed:
                violations.append(Violation(read.operation, _told(read, timeline.rows[completed - 1])))
    return Finding(name, tuple(violations), {"reads": checked})


def _newest(setting: Views, timeline: Timeline, read: Trace) -> int | None:
    assert read.completion is not None
    return timeline.newest(call(_invoke(read)), read.told, timeline.until(read.completion, setting.index.ordered))


def _told(read: Trace, row: Event) -> str:
    return f"it returned {read.told!r}, and {operation_name(row.operation)}, completed before, had overwritten that"


def _completed(setting: Views, timeline: Timeline, reads: Sequence[Trace]) -> Iterator[tuple[Trace, int]]:
    """Each read, with the number of the newest row of a call that was completed before its invoke; 0 if there is none.

    Of one node's reads a later one follows all that an earlier one does, so one pass over the calls will do.
    """
    calls = _calls(setting, timeline)
    in_order = sorted((read for read in reads if read.invoke), key=lambda read: (read.node, _invoke(read).order))
    for _, of_node in groupby(in_order, key=lambda read: read.node):
        newest, at = 0, 0
        undecided: list[Call] = []
        for read in of_node:
            invoke = _invoke(read)
            while at < len(calls) and calls[at].completion.order < invoke.order:
                undecided.append(calls[at])
                at += 1
            earlier = [setting.index.ordered(call.completion, invoke) for call in undecided]
            newest = max((newest, *(call.row for call, known in zip(undecided, earlier, strict=True) if known)))
            undecided = [call for call, known in zip(undecided, earlier, strict=True) if not known]
            yield read, newest


class Call(NamedTuple):
    """One that was completed `ok`, and the number of its first row."""

    completion: Event
    row: int


def _calls(setting: Views, timeline: Timeline) -> list[Call]:
    """In the order of their completions."""
    numbers: dict[Operation, int] = {}
    for number, row in enumerate(timeline.rows, 1):
        numbers.setdefault(row.operation, number)
    found = []
    for operation, number in numbers.items():
        trace = setting.index.traces.get(operation)
        if trace is not None and trace.completion is not None and trace.ending == "ok":
            found.append(Call(trace.completion, number))
    return sorted(found, key=lambda call: call.completion.order)


def _invoke(read: Trace) -> Event:
    assert read.invoke is not None
    return read.invoke
