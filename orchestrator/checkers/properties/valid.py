"""PURE: what was done is what was asked, and what was told is what was done.

Rules of this file:

1. An effect has an earlier invoke; `ok` implies E >= 1 (without an effect, an execution) and carries the result of an
   effect of that operation; `fail` implies E = 0.
2. What is executed is what was invoked: procedure, argument and intent; and an effect's intent is its invoke's.
3. A ledger's rows, one after another through the service's model, have the model's results and make its last state.
4. `ok` of a call without an effect carries what the model returns in a state that may have been there by then. That it
   had not been overwritten is *staleness*.
   Where an unchecked `corrupt` altered replies of the call, the server's own answers do.
5. Not compared is what an unchecked `corrupt` altered, an argument or a result. Rows that two processes wrote beside
   one another are the reference machine's.

Of a system that is not ours the oracle tells what an effect is of, in place of its result, and nobody tells the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from orchestrator.checkers.delivery import judged
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.modelled import Modelled, Timeline, call
from orchestrator.checkers.opportunities import RESULTS
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event

name = "valid"
needs: frozenset[View] = frozenset()


def check(setting: Views) -> Finding:
    counts: Counter[str] = Counter(operations=0)
    found = [*_outcomes(setting, counts)]
    if View.JOURNALS in setting.shown:
        counts.update(executions=0, replies=0, rows=0)
        found += [*_executions(setting, counts), *_replies(setting, counts), *_rows(setting, counts)]
    return Finding(name, tuple(found), dict(counts))


# Rule 1


def _outcomes(setting: Views, counts: Counter[str]) -> Iterator[Violation]:
    other = _other_result if View.JOURNALS in setting.shown else _effect_of_another
    counts["operations"] += setting.even[True]
    for trace in judged(setting):
        if trace.effects or trace.executes or trace.ending in ("ok", "fail"):
            counts["operations"] += 1
            if reason := _invalidity(setting, trace) or other(trace):
                yield Violation(trace.operation, reason)


def _invalidity(setting: Views, trace: Trace) -> str:
    effects = len(trace.effects)
    if trace.invoke is None or trace.completion is None:
        return f"it {f'has {effects} effects' if effects else 'was executed'} and nobody invoked it"
    if trace.executes and setting.index.ordered(trace.executes[0], trace.invoke):
        return "it was executed before it was invoked"
    if trace.ending == "fail" and effects:
        had = f"it was executed ({effects} effects)" if trace.executes else f"it has {effects} effects"
        return f"its client was told that it failed, and {had}"
    if trace.ending == "ok" and not effects:
        return "its client was told ok, and it has no effect"
    return ""


def _other_result(trace: Trace) -> str:
    value = trace.told
    if trace.ending != "ok" or trace.corrupted("reply") or any(row.detail["result"] == value for row in trace.effects):
        return ""
    return f"its client was told {value!r}, which is the result of none of its {len(trace.effects)} effects"


def _effect_of_another(trace: Trace) -> str:
    wanted = str(trace.invoke.detail.get("value")) if trace.invoke else ""
    other = next((told for event in trace.effects if (told := event.detail.get("result")) not in ("", wanted)), None)
    return f"it was asked for {wanted}, and its effect is {other}" if other is not None else ""


# Rule 2


def _executions(setting: Views, counts: Counter[str]) -> Iterator[Violation]:
    counts["executions"] += setting.even.total()
    for trace in setting.odd_invoked.values():
        counts["executions"] += len(trace.executes)
        for reason in filter(None, (*_unasked(trace), *_unmeant(trace))):
            yield Violation(trace.operation, reason)


def _unasked(trace: Trace) -> Iterator[str]:
    assert trace.invoke is not None
    asked, corrupted = trace.invoke.detail, trace.corrupted("request")
    for execution in trace.executes:
        done = execution.detail
        keys = ("f", "intent") if execution.attempt in corrupted else ("f", "value", "intent")
        other = next((key for key in keys if done.get(key) != asked.get(key)), None)
        if other is not None:
            what = f"attempt {execution.attempt} was executed with {other} {done.get(other)!r}"
            yield f"{what}; invoked was {asked.get(other)!r}"


def _unmeant(trace: Trace) -> Iterator[str]:
    assert trace.invoke is not None
    intent = trace.invoke.detail.get("intent")
    for row in trace.effects:
        if row.detail["intent"] != intent:
            yield f"its effect is of intent {row.detail['intent']}; invoked was {intent}"


# Rule 3


def _rows(setting: Views, counts: Counter[str]) -> Iterator[Violation]:
    for ledger in setting.modelled:
        what = ledger.service.interface.name
        counts["rows"] += ledger.followed
        for row, _, result in ledger.other:
            reason = f"{_row(row)} has the result {row.detail['result']!r}; a {what} without faults has {result!r}"
            yield Violation(row.operation, reason)
        yield from _last_state(ledger)


def _last_state(ledger: Modelled) -> Iterator[Violation]:
    model = ledger.service.model
    if ledger.followed and ledger.whole:
        difference = model.difference(model.of(ledger.ledger.detail["state"]), ledger.state)
        if difference is not None:
            yield Violation(ledger.rows[-1].operation, f"after {_row(ledger.rows[-1])} {difference}")


def _row(row: Event) -> str:
    return f"row {row.detail['n']} of ledger {row.detail['ledger']}"


# Rule 4


def _replies(setting: Views, counts: Counter[str]) -> Iterator[Violation]:
    effectless = setting.index.invoked if setting.even[False] else setting.odd_invoked
    for trace in effectless.values():
        if trace.has_effect or trace.ending != "ok":
            continue
        if trace.corrupted("reply"):
            yield from _answered(setting, trace)
        elif not trace.executes:
            yield Violation(trace.operation, "its client was told ok, and it was never executed")
        elif (timeline := setting.timelines.get(setting.server_of(trace))) is not None:
            counts["replies"] += 1
            if not _returned(setting, timeline, trace, trace.told):
                what = timeline.service.interface.name
                reason = f"its client was told {trace.told!r}, which no state of the {what} gives until then"
                yield Violation(trace.operation, reason)


def _answered(setting: Views, trace: Trace) -> Iterator[Violation]:
    timeline = setting.timelines.get(setting.server_of(trace))
    if timeline is None:
        return
    for answer in trace.answers:
        value = answer.detail.get("value")
        if answer.detail.get("status") in RESULTS and not _returned(setting, timeline, trace, value):
            reason = f"it was answered {value!r}, which no state of the {timeline.service.interface.name} gives"
            yield Violation(trace.operation, reason)


def _returned(setting: Views, timeline: Timeline, trace: Trace, value: object) -> bool:
    assert trace.completion is not None
    until = timeline.until(trace.completion, setting.index.ordered)
    return any(timeline.newest(call(event), value, until) is not None for event in trace.executes)
