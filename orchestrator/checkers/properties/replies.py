"""PURE: whether clients were told what happened.

`ok` carries the result of an effect of the same intent, and of a reply that arrived; no two clients got one
effect; `fail` says that the operation was provably not executed, so no attempt may have handed a byte to the transport.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from typing import Any

from nodes.wire.record import Kind
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.opportunities import RESULTS
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace
from orchestrator.history.merged import Operation

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
        value = trace.told
        carried = [event for event in trace.replies if event.detail.get("status") in RESULTS]
        if all(event.detail.get("value") != value for event in carried):
            yield Violation(trace.operation, f"its client was told {value!r}, which none of its replies carried")


def _foreign(setting: Views, done: list[Trace]) -> Iterator[Violation]:
    effects = setting.index.of_kind(Kind.EFFECT)
    intents = {effect.detail["intent"] for effect in effects}
    results = {(effect.detail["intent"], _key(effect.detail["result"])) for effect in effects}
    owning: dict[Hashable, set[Operation]] = defaultdict(set)
    for effect in effects:
        owning[_key(effect.detail["result"])].add(effect.operation)
    for trace in done:
        value, intent = trace.told, _intent(trace)
        if trace.has_effect and intent in intents and (intent, _key(value)) not in results:
            owners = sorted(owning.get(_key(value), ()))
            whose = f"; it is that of {_names(owners)}" if owners else ""
            yield Violation(trace.operation, f"its client was told {value!r}, not the result of its intent{whose}")


def _shared(setting: Views, done: list[Trace]) -> Iterator[Violation]:
    """Calls of different clients for one intent need an effect each, if each was told a result of it."""
    rows = setting.index.of_kind(Kind.EFFECT)
    left = Counter((row.detail["intent"], repr(row.detail["result"])) for row in rows)
    for trace in done:
        if not trace.has_effect:
            continue
        key = (_intent(trace), repr(trace.told))
        if key not in left:
            continue
        left[key] -= 1
        if left[key] < 0:
            yield Violation(trace.operation, f"its client was told the result {key[1]}, which another client got too")


def _key(value: Any) -> Hashable:
    """Equal for equal values; a list or a map has its text."""
    return value if isinstance(value, Hashable) else repr(value)


def _intent(trace: Trace) -> int:
    return int(trace.invoke.detail["intent"]) if trace.invoke else 0


def _names(operations: list[Operation]) -> str:
    return " and ".join(f"operation {seq} of client {client}" for client, seq in operations)
