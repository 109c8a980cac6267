"""PURE: what a record of a kind has to say (nodes/wire/record.py)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

from nodes.wire.record import Kind
from orchestrator.checkers.gate.names import attempt_name
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Event, History
from orchestrator.history.trace import OF_OPERATIONS

Fields = Mapping[str, tuple[type, ...]]

_ANY, _NUMBER, _TEXT, _FLAG, _MAP, _PLACE = (object,), (int,), (str,), (bool,), (dict,), (int, type(None))
_CALL: Fields = {"intent": _NUMBER, "f": _TEXT, "value": _ANY}
_MESSAGE: Fields = {"link": _TEXT, "direction": _TEXT, "occurrence": _NUMBER, "rule": _PLACE, "act": _TEXT}
_ACTED: Fields = {"node": _TEXT, "epoch": _NUMBER}

FIELDS: Mapping[Kind, Fields] = MappingProxyType(
    {
        Kind.START: {**_ACTED, "role": _TEXT, "incarnation": _NUMBER, "history": _NUMBER, "schema": _NUMBER},
        Kind.FAILPOINT: {"name": _TEXT, "fault": _NUMBER, "act": _TEXT},
        Kind.INVOKE: _CALL,
        Kind.OK: {"value": _ANY},
        Kind.ATTEMPT: {"wait": _NUMBER},
        Kind.SEND: {"connection": _NUMBER, "server": _NUMBER, "first": _NUMBER},
        Kind.REPLY: {"status": _NUMBER, "value": _ANY, "connection": _NUMBER},
        Kind.END: {"connection": _NUMBER, "error": _TEXT},
        Kind.GATE: {"gate": _NUMBER},
        Kind.SESSION: {"incarnation": _NUMBER, "history": _NUMBER, "lease": _NUMBER},
        Kind.RECEIVE: {"connection": _NUMBER, "first": _NUMBER, "server": _NUMBER, "link": _TEXT},
        Kind.EXECUTE: _CALL,
        Kind.COMMIT: {"n": _NUMBER, "result": _ANY},
        Kind.ANSWER: {"status": _NUMBER, "value": _ANY, "connection": _NUMBER},
        Kind.TRIM: {"mark": _NUMBER},
        Kind.USAGE: {
            **dict.fromkeys(("cpu", "accepted", "refused", "reused"), _NUMBER),
            **dict.fromkeys(("voluntary", "involuntary", "ended", "full", "overflows"), _PLACE),
        },
        Kind.DECISION: _MESSAGE,
        Kind.RELEASE: _MESSAGE,
        Kind.CROWD: {"rule": _NUMBER, **dict.fromkeys(("connected", "most", "refused", "lacking"), _NUMBER)},
        Kind.RULE: {"rule": _NUMBER, "active": _FLAG},
        Kind.UPSTREAM: {"link": _TEXT, "up": _FLAG, "epoch": _NUMBER},
        Kind.COUNTER: {"rule": _NUMBER, "link": _TEXT, "direction": _TEXT, "packets": _NUMBER},
        Kind.PHASE: {"phase": _TEXT},
        Kind.ACT: {**_ACTED, "act": _TEXT, "fault": _PLACE},
        Kind.REAPED: {**_ACTED, "signal": _NUMBER, "code": _NUMBER},
        Kind.EFFECT: {"n": _NUMBER, "intent": _NUMBER, "epoch": _NUMBER, "result": _ANY, "ledger": _TEXT},
        Kind.LEDGER: {"ledger": _TEXT, "state": _MAP, "history": _NUMBER, "archived": _FLAG},
    }
)
"""What is journalled of a kind, and the types that it has."""
LACKING = frozenset({(Kind.ATTEMPT, "wait"), (Kind.SEND, "first"), (Kind.ANSWER, "connection")})
"""What older versions did not journal."""


OF_MESSAGES = frozenset({*OF_OPERATIONS, Kind.TRIM})
"""Of which there are many: those of operations that are not odd are compared with one another."""


def records_say_what_they_have_to(setting: Views) -> Iterator[str]:
    """Each has the fields of its kind, of their types."""
    for kind in (kind for kind in FIELDS if kind not in OF_MESSAGES):
        yield from filter(None, map(_wrong, setting.index.of_kind(kind)))
    yield from filter(None, map(_wrong, setting.suspected(Kind.TRIM)))
    for trace in setting.suspects:
        yield from filter(None, map(_wrong, trace.events()))
    for kind, key in sorted(LACKING):
        yield from islice(_forgotten(setting, kind, key), 1)


def _forgotten(setting: Views, kind: Kind, key: str) -> Iterator[str]:
    """An older version never journalled it; any other always does, as an operation that is not odd shows."""
    events = setting.suspected(kind)
    if setting.courses or any(key in event.detail for event in events):
        lacking = (event for event in events if key not in event.detail)
        yield from (f"{event.node} journalled {kind.name}{_of(event)}, and its {key} is missing" for event in lacking)


def malformed(history: History) -> Iterator[str]:
    """The first record that is not as its kind is: most likely what a checker crashed over."""
    found = (f"event {event.order}: {told}" for event in history.events if (told := _wrong(event)))
    yield from islice(found, 1)


def _wrong(event: Event) -> str:
    kind, detail = event.kind, event.detail
    for key, types in FIELDS.get(kind, {}).items():
        value = detail.get(key, ...)
        if value.__class__ not in types and not _fits(kind, key, value, types):
            told = "is missing" if value is ... else f"is {value!r}"
            return f"{event.node} journalled {event.kind.name}{_of(event)}, and its {key} {told}"
    return ""


def _fits(kind: Kind, key: str, value: Any, types: tuple[type, ...]) -> bool:
    if value is ...:
        return (kind, key) in LACKING
    return isinstance(value, types) and not (types is _NUMBER and isinstance(value, bool))


def _of(event: Event) -> str:
    return f" of {attempt_name(event) if event.seq else f'client {event.client}'}" if event.client else ""
