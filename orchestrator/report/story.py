"""PURE: one operation's history told as a short story: who sent what, what was done to it, and who ran it how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nodes.units import MILLISECOND
from nodes.wire.header import Status, process_of
from nodes.wire.record import Kind
from orchestrator.history.merged import Event, History, Operation

ORACLE = "oracle"
"""The ledger that a system's oracle fills."""
Telling = Callable[[Event], str]


def _status(detail: Mapping[str, Any]) -> str:
    status = detail.get("status")
    return Status(status).name.lower() if isinstance(status, int) and status in list(Status) else str(status)


def _value(event: Event, key: str = "value") -> str:
    value = event.detail.get(key)
    return "" if value is None else f", {key} {value}"


VERBS: Mapping[str, str] = MappingProxyType(
    {
        "pass": "passes",
        "drop": "DROPS",
        "duplicate": "COPIES",
        "hold": "HOLDS",
        "reorder": "HOLDS, for the next to overtake,",
        "delay": "DELAYS",
        "corrupt": "CORRUPTS",
        "truncate": "TRUNCATES",
        "slice": "SLICES",
        "cut": "CUTS the connection at",
        "partition": "DROPS",
        "lost": "cannot pass, the server being down,",
    }
)


def _decision(event: Event) -> str:
    act = str(event.detail.get("act"))
    return f"{VERBS.get(act, f'does {act!r} to')} the {event.detail.get('direction')} of attempt {event.attempt}"


TELLINGS: Mapping[Kind, Telling] = MappingProxyType(
    {
        Kind.INVOKE: lambda event: f"calls {event.detail.get('f')}({event.detail.get('value')})",
        Kind.ATTEMPT: lambda event: f"begins attempt {event.attempt}",
        Kind.SEND: lambda event: f"sends attempt {event.attempt}",
        Kind.UNCONNECTED: lambda event: f"cannot connect for attempt {event.attempt}: {event.detail.get('error')}",
        Kind.END: lambda event: f"loses the connection of attempt {event.attempt}: {event.detail.get('error')}",
        Kind.REPLY: lambda event: f"gets a reply to attempt {event.attempt}: {_status(event.detail)}{_value(event)}",
        Kind.OK: lambda event: f"knows: ok{_value(event)}",
        Kind.FAIL: lambda event: f"knows: fail, it was not executed{_value(event, 'error')}",
        Kind.INFO: lambda event: f"does not know: info{_value(event, 'error')}",
        Kind.RECEIVE: lambda event: f"receives attempt {event.attempt}",
        Kind.EXECUTE: lambda event: f"EXECUTES {event.detail.get('f')}({event.detail.get('value')})",
        Kind.COMMIT: lambda event: f"commits effect {event.detail.get('n')}{_value(event, 'result')}",
        Kind.ANSWER: lambda event: f"answers attempt {event.attempt}: {_status(event.detail)}{_value(event)}",
        Kind.BROKEN: lambda event: f"gets a message that does not decode: {event.detail.get('reason')}",
        Kind.FAILPOINT: lambda event: (
            f"{'stops' if event.detail.get('act') == 'stop' else 'dies'} at the failpoint {event.detail.get('name')}"
        ),
        Kind.DECISION: _decision,
        Kind.RELEASE: lambda event: (
            f"lets the {event.detail.get('direction')} of attempt {event.attempt} go on ({event.detail.get('act')})"
        ),
    }
)

# What happens to processes belongs to the story while the operation is going on, whoever's message it was.
AROUND: Mapping[Kind, Telling] = MappingProxyType(
    {
        Kind.FAILPOINT: TELLINGS[Kind.FAILPOINT],
        Kind.REAPED: lambda event: f"finds {event.detail.get('node')} dead (signal {event.detail.get('signal')})",
        Kind.ACT: lambda event: _act(event),
        Kind.START: lambda event: f"starts as epoch {event.epoch}" + _incarnation(event),
        Kind.RULE: lambda event: (
            f"switches rule {event.detail.get('rule')} " + ("on" if event.detail.get("active") else "off")
        ),
    }
)


def _act(event: Event) -> str:
    act, node = event.detail.get("act"), event.detail.get("node")
    return f"does nothing to {node}: {event.detail.get('why')}" if act == "none" else f"does {act!r} to {node}"


def _incarnation(event: Event) -> str:
    return ", with a new incarnation" if event.detail.get("incarnation") else ""


def story(history: History, operation: Operation) -> list[str]:
    """Lines of text; times are milliseconds since the call. [] for an operation that the history does not know."""
    events = history.on_one_clock()
    own = [event for event in events if event.operation == operation and event.kind in TELLINGS]
    if not own:
        return []
    first, last = own[0], own[-1]
    told = [event for event in events if _belongs(event, operation, first, last)]
    width = max(len(_who(event)) for event in told)
    lines = [f"Operation {operation[1]} of client process {process_of(operation[0])}:"]
    for event in told:
        telling = TELLINGS[event.kind] if event.kind in TELLINGS else AROUND[event.kind]
        lines.append(f"  {(event.time - first.time) / MILLISECOND:9.2f} ms  {_who(event):<{width}}  {telling(event)}")
    return [*lines, _ending(history, operation)]


def _belongs(event: Event, operation: Operation, first: Event, last: Event) -> bool:
    if event.operation == operation:
        # That an attempt begins says nothing that its sending does not.
        return event.kind in TELLINGS and event.kind is not Kind.ATTEMPT
    return event.kind in AROUND and first.order <= event.order <= last.order


def _who(event: Event) -> str:
    return f"{event.node}/{event.epoch}" if event.epoch > 1 else event.node


def _ending(history: History, operation: Operation) -> str:
    effects = [event for event in history.events if event.kind is Kind.EFFECT and event.operation == operation]
    times = {0: "never", 1: "once", 2: "twice"}.get(len(effects), f"{len(effects)} times")
    if any(event.detail.get("ledger") == ORACLE for event in effects):
        return f"  By the oracle it was executed {times}."
    epochs = [str(event.detail.get("epoch", event.epoch)) for event in effects]
    where = f", in epoch {' and '.join(epochs)}" if epochs else ""
    return f"  By the ledgers it was executed {times}{where}."
