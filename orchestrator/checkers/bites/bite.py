"""PURE: which operations a run's faults touched and bit (docs/semantics.md, "Which operations a cell speaks of")."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from chaos.faults.fault import Fault, RelayFault
from chaos.faults.peers import Crowd
from chaos.supports import WITHOUT_MESSAGES
from nodes.wire.header import process_of
from orchestrator.checkers.bites import peers, processes, windows
from orchestrator.checkers.bites.course import USUAL, Course, Courses
from orchestrator.checkers.bites.messages import effective
from orchestrator.checkers.bites.models import by_rule
from orchestrator.checkers.bites.values import Bite, RuleBite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event, Operation
from orchestrator.history.trace import timed_out
from orchestrator.run.specs import plane_of


def bite(setting: Setting) -> Bite:
    rules = by_rule(setting, _rule)
    invoked = setting.index.invoked
    met = _met_while_open(setting) | setting.with_alike(
        operation for operation, trace in setting.odd_invoked.items() if _met(setting, trace)
    )
    looking = Courses(setting)
    courses = _courses(setting, looking, met)
    touched = {operation for operation, course in courses.items() if course.outlived or _cut(setting.odd[operation])}
    found = Bite.of(rules, invoked, frozenset(met | touched), lambda each: courses.get(each, USUAL).late)
    told = {operation: course.unexplained for operation, course in courses.items() if course.unexplained}
    untimely = {operation: why for operation, trace in setting.odd_invoked.items() if (why := looking.untimely(trace))}
    unmet = {operation: told[operation] for operation in told.keys() - found.bitten}
    return found._replace(unexplained=untimely | unmet)


def _courses(setting: Setting, courses: Courses, met: Collection[Operation]) -> dict[Operation, Course]:
    """Of the operations that were not met, those that did not simply end."""
    found = {}
    for operation, trace in setting.odd_invoked.items():
        if operation not in met and (course := courses.of(trace)) is not USUAL:
            found[operation] = course
    return found


def _rule(setting: Setting, index: int, fault: Fault) -> RuleBite:
    if fault.on_process is not None:
        return processes.bite(setting, index, fault.on_process)
    if fault.by_client:
        return peers.bite(setting, index, cast(Crowd, fault))
    if plane_of(setting.cell, fault) == "relay":
        return _decided(setting, index, cast(RelayFault, fault))
    return _windowed(setting, index, fault)


def _windowed(setting: Setting, index: int, fault: Fault) -> RuleBite:
    """A plane that sees no messages names those that were open while it was at work."""
    meanwhile = windows.open_meanwhile(setting, index, fault)
    bitten = frozenset(each for each in meanwhile if windows.bitten(setting, index, fault, setting.trace(each)))
    applied = frozenset(each for each in meanwhile if windows.met(setting, index, fault, setting.trace(each)))
    return RuleBite(index, bitten if fault.by_chance else meanwhile, applied, bitten)


def _decided(setting: Setting, index: int, fault: RelayFault) -> RuleBite:
    """The relay says what it decided about which message."""
    decided = {operation: trace.decided_by(index) for operation, trace in setting.odd_invoked.items()}
    applied = [operation for operation, events in decided.items() if events]
    bitten = setting.with_alike(
        operation
        for operation in applied
        if any(effective(setting, fault, event, setting.odd[operation]) for event in decided[operation])
    )
    named = frozenset(operation for operation in setting.index.invoked if _names(setting, fault, operation))
    met = setting.with_alike(applied)
    return RuleBite(index, named | met, met, bitten)


def _names(setting: Setting, fault: RelayFault, operation: Operation) -> bool:
    """Whether the fault names the operation by its number."""
    client, seq = operation
    link = setting.planned_link(operation)
    return link is not None and link.name == fault.link and fault.names_operation(process_of(client), seq)


# Touched


def _met(setting: Setting, trace: Trace) -> bool:
    """One of its messages met a decision, or it was open while its server or its client was away."""
    if any(event.detail.get("act") != "pass" for event in (*trace.decisions, *_hello_decisions(setting, trace))):
        return True
    if trace.invoke is None or trace.completion is None:
        return False
    begin, end = trace.invoke.order, trace.completion.order
    return any(setting.index.is_away(node, begin, end) for node in (trace.node, setting.server_of(trace)))


def _cut(trace: Trace) -> bool:
    """Its connection ended otherwise than by its own timeout, or was not made."""
    return bool(trace.unconnected) or not all(map(timed_out, trace.ends))


def _met_while_open(setting: Setting) -> set[Operation]:
    """What was open while a plane that sees no messages was at work on its link, or a crowd at its server."""
    return {
        operation for index, fault in enumerate(setting.cell.faults) for operation in _meanwhile(setting, index, fault)
    }


def _meanwhile(setting: Setting, index: int, fault: Fault) -> frozenset[Operation]:
    if fault.by_client:
        return peers.open_meanwhile(setting, index, cast(Crowd, fault))
    unseen = plane_of(setting.cell, fault) in WITHOUT_MESSAGES
    return windows.open_meanwhile(setting, index, fault) if unseen else frozenset()


def _hello_decisions(setting: Setting, trace: Trace) -> list[Event]:
    """A hello that is said before an operation is sent is a part of it, whoever of its client said it: one that was not
    answered when the operation was invoked holds it up, too."""
    hello = setting.index.hellos.get(trace.operation[0])
    if hello is None or not hello.decisions or trace.invoke is None or trace.completion is None:
        return []
    answered = [event.order for event in hello.replies if event.order < trace.invoke.order]
    begin, end, link = max(answered, default=0), trace.completion.order, setting.link_of(trace)
    return [
        event
        for event in hello.decisions
        if begin < event.order < end and link is not None and event.detail.get("link") == link.name
    ]
