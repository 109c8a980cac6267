"""PURE: whether clients were told what happened.

`ok` carries the result of an effect of the same intent, and of the first reply that had one, which had come by then; no
two clients got one effect; `fail` says that the operation was provably not executed, so no attempt may have handed a
byte to the transport.
Not compared with effects is a result that an unchecked `corrupt` altered: what its client was told its reply carried.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from functools import cache
from typing import Any

from nodes.wire.record import Kind
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.names import operation_name
from orchestrator.checkers.opportunities import RESULTS
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event, Operation

name = "replies"
needs = frozenset({View.JOURNALS})


def check(setting: Views) -> Finding:
    traces = setting.odd_invoked.values()
    done = [trace for trace in traces if trace.ending == "ok"]
    failed = [trace for trace in traces if trace.ending == "fail"]
    effects = [trace for trace in done if trace.has_effect and not trace.corrupted("reply")]
    rows = _rows(setting, effects) if effects else []
    told = (*_foreign(setting, effects, rows), *_shared(setting, effects, rows))
    violations = (*_indefinite(failed), *_without_reply(done), *told)
    return Finding(name, violations, {"ok": len(done) + setting.even.total(), "fail": len(failed)})


def _indefinite(failed: list[Trace]) -> Iterator[Violation]:
    for trace in failed:
        if trace.sends:
            reason = f"its client was told that it failed, though attempt {trace.sends[0].attempt} was sent"
            yield Violation(trace.operation, reason)


def _without_reply(done: list[Trace]) -> Iterator[Violation]:
    for trace in done:
        value, end = trace.told, trace.completion
        carried = [event for event in trace.replies if event.detail.get("status") in RESULTS]
        if not carried or carried[0].detail.get("value") != value:
            yield Violation(trace.operation, f"its client was told {value!r}, which its first reply did not carry")
        elif end is not None and end.order < carried[0].order:
            yield Violation(trace.operation, f"its client was told {value!r} before the reply came that carried it")


def _foreign(setting: Views, done: list[Trace], rows: list[Event]) -> Iterator[Violation]:
    intents = {row.detail["intent"] for row in rows}
    results = {(row.detail["intent"], _key(row.detail["result"])) for row in rows}
    owning = cache(lambda: _by_result(setting))
    for trace in done:
        value, intent = trace.told, _intent(trace)
        if intent in intents and (intent, _key(value)) not in results:
            owners = sorted(owning().get(_key(value), ()))
            whose = f"; it is that of {_names(owners)}" if owners else ""
            yield Violation(trace.operation, f"its client was told {value!r}, not the result of its intent{whose}")


def _by_result(setting: Views) -> dict[Hashable, set[Operation]]:
    found: dict[Hashable, set[Operation]] = defaultdict(set)
    for row in setting.index.of_kind(Kind.EFFECT):
        found[_key(row.detail["result"])].add(row.operation)
    return found


def _shared(setting: Views, done: list[Trace], rows: list[Event]) -> Iterator[Violation]:
    """Calls of different clients for one intent need an effect each, if each was told a result of it."""
    left: Counter[tuple[int, str]] = Counter()
    for row in rows:
        even = row.operation in setting.courses  # which got its own
        left[row.detail["intent"], repr(row.detail["result"])] += not even
    for trace in done:
        key = (_intent(trace), repr(trace.told))
        if key not in left:
            continue
        left[key] -= 1
        if left[key] < 0:
            yield Violation(trace.operation, f"its client was told the result {key[1]}, which another client got too")


def _rows(setting: Views, done: list[Trace]) -> list[Event]:
    """Those of their intents."""
    intents = set(map(_intent, done))
    courses, events = setting.courses.values(), setting.index.events
    even = [events[course.row] for course in courses if course.intent in intents and course.has_effect]
    return [*even, *(row for row in setting.suspected(Kind.EFFECT) if row.detail["intent"] in intents)]


def _key(value: Any) -> Hashable:
    """Equal for equal values; a list or a map has its text."""
    return value if isinstance(value, Hashable) else repr(value)


def _intent(trace: Trace) -> int:
    return int(trace.invoke.detail["intent"]) if trace.invoke else 0


def _names(operations: list[Operation]) -> str:
    return " and ".join(map(operation_name, operations))
