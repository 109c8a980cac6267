"""PURE: which operations the faults bit of a system that is not ours (docs/system.md, "What bites").

- a message of the operation that a rule took away, or of which it let a part pass: the operation did not go on as if
  nothing had happened, that is, its request came again or it did not end `ok`;
- a message that a rule kept: it went on later, while the operation was open, or the operation went on without it;
- a toxic: operations that were open while it was on and needed another attempt, did not end `ok`, or took at least
  half of its latency;
- a message without identity, and a process that is away: operations that were open at that time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from chaos.faults.fault import Fault, RelayFault
from chaos.faults.processes import ProcessFault
from chaos.faults.streams import Latency
from nodes.units import MILLISECOND
from nodes.wire.header import process_of
from nodes.wire.record import Kind
from orchestrator.checkers.bites.models import by_rule
from orchestrator.checkers.bites.values import Bite, RuleBite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Trace, Window
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Event, Operation
from orchestrator.run.specs import plane_of


def bite(setting: Setting) -> Bite:
    rules = by_rule(setting, _rule)
    invoked = setting.index.invoked
    applied = frozenset[Operation]().union(*(rule.applied for rule in rules))
    touched = applied | {operation for operation, trace in invoked.items() if _met(trace)}
    return Bite.of(rules, invoked, touched, lambda operation: _late(invoked[operation]))


def _met(trace: Trace) -> bool:
    return any(event.detail.get("act") != "pass" for event in trace.decisions)


def _late(trace: Trace) -> bool:
    told = trace.completion.detail.get("attempts", 0) if trace.completion else 0
    return trace.ending == "info" or told > 1 or _requests(trace) > 1


def _requests(trace: Trace) -> int:
    """How many copies of its request came to the relay."""
    return sum(event.detail.get("direction") == "request" for event in trace.decisions)


def _rule(setting: Setting, index: int, fault: Fault) -> RuleBite:
    if fault.on_process is not None:
        return _during(setting, index, _away(setting, index, fault.on_process))
    if plane_of(setting.cell, fault) == "toxiproxy":
        return _toxic(setting, index, fault)
    return _decided(setting, index, cast(RelayFault, fault))


def _decided(setting: Setting, index: int, fault: RelayFault) -> RuleBite:
    decided = {operation: trace.decided_by(index) for operation, trace in setting.index.invoked.items()}
    applied = frozenset(operation for operation, events in decided.items() if events)
    bitten = frozenset(
        operation
        for operation in applied
        if any(_effective(fault, event, setting.trace(operation)) for event in decided[operation])
    )
    named = {(client, seq) for client, seq in setting.index.invoked if fault.names_operation(process_of(client), seq)}
    around = _during(setting, index, _moments(setting, index))
    return RuleBite(index, applied | named | around.named, applied | around.applied, bitten | around.bitten)


def _effective(fault: RelayFault, decision: Event, trace: Trace) -> bool:
    """Whether the operation's own course shows what was done to its message."""
    again = any(
        event.order > decision.order and event.detail.get("direction") == "request" for event in trace.decisions
    )
    if trace.completion is None or trace.completion.order < decision.order:
        return False
    if fault.keeps:
        gone = (event for event in trace.releases if event.order > decision.order)
        return again or any(event.order < trace.completion.order for event in gone)
    return again or trace.ending != "ok"


def _toxic(setting: Setting, index: int, fault: Fault) -> RuleBite:
    around = _during(setting, index, setting.index.windows.get(index, []))
    felt = frozenset(operation for operation in around.applied if _felt(fault, setting.trace(operation)))
    return around._replace(bitten=felt)


def _felt(fault: Fault, trace: Trace) -> bool:
    assert trace.invoke is not None
    assert trace.completion is not None
    taken = trace.completion.time - trace.invoke.time
    if isinstance(fault, Latency) and 2 * taken >= fault.latency * MILLISECOND:
        return True
    return trace.ending != "ok" or trace.completion.detail.get("attempts", 0) > 1


def _moments(setting: Setting, index: int) -> Iterator[Window]:
    """When a rule met messages without identity."""
    for event in setting.index.of_kind(Kind.DECISION):
        if not event.client and event.detail.get("rule") == index:
            yield Window(event.order, event.order)


def _away(setting: Setting, index: int, fault: ProcessFault) -> Iterator[Window]:
    """From where the service was certainly dead, or stopped, until it was ready again, or resumed."""
    back = ("ready",) if fault.deadly else ("resume", "kill")
    for act in (*setting.index.done_by(index, "kill"), *setting.index.done_by(index, "pause")):
        node = act.detail["node"]
        reaped = setting.index.reaped.get((node, act.detail["epoch"])) if fault.deadly else act
        if reaped is not None:
            yield Window(reaped.order, setting.index.next_act(back, node, reaped.order))


def _during(setting: Setting, index: int, windows: Iterable[Window]) -> RuleBite:
    at_work = Intervals(windows)
    found = frozenset(operation for operation, trace in setting.index.invoked.items() if trace.open_in(at_work))
    return RuleBite(index, found, found, found)
