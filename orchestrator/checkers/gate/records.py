"""PURE: a record says who it is by and what it is about as its kind does; a number that says nothing is 0."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from chaos.supports import PLANES
from nodes.wire.record import Kind
from orchestrator.checkers.gate.names import operation_name
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Event
from orchestrator.run.session import ORCHESTRATOR

_NOBODY = ("client", "seq", "attempt", "process")

UNSAID: dict[Kind, tuple[str, ...]] = {
    **dict.fromkeys((Kind.START, Kind.READY, Kind.STOP, Kind.USAGE, Kind.PHASE, Kind.ACT, Kind.REAPED), _NOBODY),
    Kind.LEDGER: ("epoch", *_NOBODY),
    **dict.fromkeys((Kind.RULE, Kind.CROWD, Kind.UPSTREAM, Kind.UNIDENTIFIED, Kind.BOUND, Kind.COUNTER), _NOBODY),
    **dict.fromkeys((Kind.INVOKE, Kind.OK, Kind.FAIL, Kind.INFO, Kind.GATE), ("attempt",)),
    **dict.fromkeys((Kind.RECEIVE, Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER, Kind.EFFECT), ("process",)),
    **dict.fromkeys((Kind.DECISION, Kind.RELEASE, Kind.FAILPOINT), ("process",)),
    Kind.BROKEN: ("seq", "attempt"),
    Kind.SESSION: ("seq",),
    Kind.TRIM: ("seq", "attempt", "process"),
}
"""The numbers that a record of a kind has not."""

_ATTEMPTS = (Kind.ATTEMPT, Kind.SEND, Kind.REPLY, Kind.END, Kind.UNCONNECTED, Kind.SESSION)
OF_CLIENTS = (Kind.INVOKE, Kind.OK, Kind.FAIL, Kind.INFO, Kind.GATE, *_ATTEMPTS)
OF_PLANES = (Kind.DECISION, Kind.RELEASE, Kind.RULE, Kind.UPSTREAM, Kind.UNIDENTIFIED, Kind.BOUND, Kind.COUNTER)
OF_SERVERS = (Kind.USAGE,)
OF_THE_ORCHESTRATOR = (Kind.PHASE, Kind.ACT, Kind.REAPED)


def numbers_are_their_kinds(setting: Views) -> Iterator[str]:
    for kind, names in UNSAID.items():
        numbers, nothing = attrgetter(*names), 0 if len(names) == 1 else (0,) * len(names)
        for event in setting.suspected(kind):
            if numbers(event) != nothing:
                said = ", ".join(f"{name} {getattr(event, name)}" for name in names if getattr(event, name))
                yield f"{event.node} journalled {kind.name} with {said}, which that has not"


def records_are_by_whom_they_can_be(setting: Views) -> Iterator[str]:
    """What a client does its own process says, what a plane does a plane, and what a run does the orchestrator."""
    clients = {number: (caller.node, caller.process) for number, caller in setting.callers.items()}
    for kind in OF_CLIENTS:
        for event in setting.suspected(kind):
            if clients.get(event.client) != (event.node, event.process):
                name = operation_name(event.operation)
                yield f"{event.node}, process {event.process}, journalled {kind.name} of {name}, which is not its"
    servers = frozenset(setting.cell.servers)
    said_by = (
        (OF_PLANES, frozenset(PLANES)),
        (OF_THE_ORCHESTRATOR, frozenset({ORCHESTRATOR})),
        (OF_SERVERS, servers),
        ((Kind.CROWD,), frozenset[str]()),
    )
    for kinds, by in said_by:
        for kind in kinds:
            for event in setting.suspected(kind):
                if event.node not in by and not _switches(setting, event):
                    yield f"{event.node} journalled {kind.name}, which is not its to say"


def _switches(setting: Views, event: Event) -> bool:
    """A client says of its crowds when they are there, and how large they were."""
    rule = event.detail.get("rule")
    fault = dict(enumerate(setting.cell.faults)).get(rule) if isinstance(rule, int) else None
    if fault is None or not fault.by_client or event.kind not in (Kind.RULE, Kind.CROWD):
        return False
    return any(link.name == fault.on_link and link.source == event.node for link in setting.cell.links)
