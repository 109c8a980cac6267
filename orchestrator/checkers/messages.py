"""PURE: the messages of sockets in a run: each was sent once by its client, and comes back as an echo."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from orchestrator.checkers.views import Views
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event
from orchestrator.scenario.cell import SocketLink


def exchanges(setting: Views) -> Iterator[tuple[SocketLink, Trace]]:
    """Those that were sent, each with its link."""
    for trace in setting.index.traces.values():
        link = setting.planned_link(trace.operation)
        if isinstance(link, SocketLink) and trace.sends:
            yield link, trace


class Passage(NamedTuple):
    """One message in one direction. `received`: its first copy, if one came."""

    trace: Trace
    sent: Event
    received: Event | None


def sequences(setting: Views) -> Iterator[list[Passage]]:
    """What one client sent on one connection, or over one socket; and what was sent back: each in order of sending.

    Of an echo that is the order in which its server got what it echoes.
    """
    found: dict[tuple[object, ...], list[Passage]] = defaultdict(list)
    for link, trace in exchanges(setting):
        way = trace.operation[0], link.name, trace.sends[0].detail.get("connection")
        came, answered = next(iter(trace.receives), None), next(iter(trace.replies), None)
        found["request", *way].append(Passage(trace, trace.sends[0], came))
        if came is not None:
            found["reply", *way].append(Passage(trace, came, answered))
    for passages in found.values():
        yield sorted(passages, key=lambda passage: passage.sent.order)
