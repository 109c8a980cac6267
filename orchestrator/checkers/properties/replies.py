"""PURE: whether clients were told what happened.

`ok` carries the result of an effect of the same intent, and of a reply that arrived; no two clients got one
effect; `fail` says that the operation was provably not executed, so no attempt may have handed a byte to the transport.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from nodes.wire.record import Kind
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.opportunities import RESULTS
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event, Operation

name = "replies"
needs = frozenset({View.JOURNALS})


def check(setting: Views) -> Finding:
    traces = setting.index.invoked.values()
    done = [trace for trace in traces if trace.ending == "ok"]
    failed = [trace for trace in traces if trace.ending == "fail"]
    violations = (*_indefinite(failed), *_without_reply(done), *_foreign(setting, done), *_shared(setting, done))
    return Finding(name, violations, {"ok": len(done), "fail": len(failed)})


def _indefinite(failed: list[Trace]) -> Iterator[Violation]:
    for trace in failed:
        if trace.sends:
            reason = f"its client was told that it failed, though attempt {trace.sends[0].attempt} was sent"
            yield Violation(trace.operation, reason)


def _without_reply(done: list[Trace]) -> Iterator[Violation]:
    for trace in done:
        value = _value(trace)
        carried = [event for event in trace.replies if event.detail.get("status") in RESULTS]
        if all(event.detail.get("value") != value for event in carried):
            yield Violation(trace.operation, f"its client was told {value!r}, which none of its replies carried")


def _foreign(setting: Views, done: list[Trace]) -> Iterator[Violation]:
    by_intent = _effects_by_intent(setting)
    for trace in done:
        if not trace.has_effect:
            continue
        value = _value(trace)
        own = by_intent[_intent(trace)]
        if own and all(effect.detail["result"] != value for effect in own):
            owners = sorted({other.operation for other in _with_result(setting, value)})
            whose = f"; it is that of {_names(owners)}" if owners else ""
            yield Violation(trace.operation, f"its client was told {value!r}, not the result of its intent{whose}")


def _shared(setting: Views, done: list[Trace]) -> Iterator[Violation]:
    """Calls of different clients for one intent need an effect each, if each was told a result of it."""
    by_intent = _effects_by_intent(setting)
    told: Counter[tuple[int, str]] = Counter()
    for trace in done:
        if not trace.has_effect:
            continue
        key = (_intent(trace), repr(_value(trace)))
        told[key] += 1
        effects = sum(repr(effect.detail["result"]) == key[1] for effect in by_intent[key[0]])
        if effects and told[key] > effects:
            yield Violation(trace.operation, f"its client was told the result {key[1]}, which another client got too")


def _effects_by_intent(setting: Views) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = defaultdict(list)
    for event in setting.index.of_kind(Kind.EFFECT):
        found[event.detail["intent"]].append(event)
    return found


def _with_result(setting: Views, value: Any) -> list[Event]:
    return [event for event in setting.index.of_kind(Kind.EFFECT) if event.detail["result"] == value]


def _value(trace: Trace) -> Any:
    return trace.completion.detail.get("value") if trace.completion else None


def _intent(trace: Trace) -> int:
    return int(trace.invoke.detail["intent"]) if trace.invoke else 0


def _names(operations: list[Operation]) -> str:
    return " and ".join(f"operation {seq} of client {client}" for client, seq in operations)
