"""PURE: connections that failed under an operation otherwise than by its own timeout or by its server's absence."""

from __future__ import annotations

from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event
from orchestrator.history.trace import timed_out


def failures(setting: Setting, trace: Trace) -> list[Event]:
    """Connections that ended under an attempt or were not made, but for those that an absent server explains."""
    ends = [event for event in trace.ends if not timed_out(event)]
    begun = {event.attempt: event.order for event in reversed(trace.attempts)}
    return [
        event
        for event in (*ends, *trace.unconnected)
        if not _of_absence(setting, trace, begun.get(event.attempt, event.order), event.order)
    ]


def _of_absence(setting: Setting, trace: Trace, begun: int, ended: int) -> bool:
    """It ended while the server was away, or the server left it behind, whenever its client heard of that."""
    away = setting.index.away(setting.server_of(trace), min(begun, ended), ended)
    return any(ended < outage.end or begun < outage.begin for outage in away)
