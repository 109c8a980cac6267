"""PURE: what a client knew of its server, and the lines on which it heard from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from nodes.wire.record import Kind
from nodes.workload import HEAL
from orchestrator.checkers.gate.names import attempt_name, operation_name
from orchestrator.checkers.setting import BOUND_TO
from orchestrator.checkers.views import Views
from orchestrator.history.index import Trace, per_attempt
from orchestrator.history.merged import Event, Operation
from orchestrator.run.specs import before_heal
from orchestrator.scenario.cell import Client, SocketLink
from orchestrator.scenario.system import Driver


def hellos_are_the_servers(setting: Views) -> Iterator[str]:
    """What a hello was answered with is what one of the client's servers says of itself."""
    cell, index = setting.cell, setting.index
    said = {
        node: {(index.start((node, epoch)).get("incarnation"), index.histories[node, epoch]) for epoch in epochs}
        for node, epochs in index.servers.items()
    }
    known = {
        number: {
            (*identity, cell.servers[link.target].lease)
            for link in cell.links_of(caller.node)
            for identity in said.get(link.target, ())
        }
        for number, caller in setting.callers.items()
    }
    seen = set()
    for event in index.of_kind(Kind.SESSION):
        replies = (reply.attempt for reply in index.hellos[event.client].replies)
        if (event.client, event.attempt) in seen or event.attempt not in replies:
            yield f"{attempt_name(event)}, was not answered, or once more"
        seen.add((event.client, event.attempt))
        told = tuple(event.detail.get(key) for key in ("incarnation", "history", "lease"))
        if told not in known.get(event.client, ()):
            yield f"{attempt_name(event)}, was answered with what no server of its says of itself"
    for trace in index.hellos.values():
        yield from _said(trace)
        for event in trace.replies if index.history.plan else ():  # older versions left out what nobody waited for
            if (event.client, event.attempt) not in seen:
                yield f"{attempt_name(event)}, was answered, and its client did not journal with what"


def _said(trace: Trace) -> Iterator[str]:
    """A hello is bound to nothing, and answered as often as it came at most."""
    if trace.ends or any(event.detail.get("first") or event.detail.get("server") for event in trace.receives):
        yield f"{operation_name(trace.operation)} is on record as a call"
    came = {(event.life, event.attempt, _line(event)) for event in trace.receives}
    answered = (event for event in trace.answers if "connection" in event.detail)
    if any((event.life, event.attempt, _line(event)) not in came for event in answered):
        yield f"{operation_name(trace.operation)} was answered over a connection that it had not come by"
    if per_attempt(trace.answers) - per_attempt(trace.receives):
        yield f"{operation_name(trace.operation)} was answered more often than it came"


def calls_come_after_hello(setting: Views) -> Iterator[str]:
    """Nothing is sent before a hello was answered; and what is sent is bound to what one was answered with."""
    told: dict[int, Event] = {}
    known: dict[int, set[tuple[object, object]]] = defaultdict(set)
    for event in setting.index.of_kind(Kind.SESSION):
        told.setdefault(event.client, event)
        known[event.client].add((event.detail.get("incarnation"), event.detail.get("history")))
    for trace in setting.odd_invoked.values():
        client, link = trace.operation[0], setting.link_of(trace)
        place = BOUND_TO.get(link.semantics) if link else None
        bound = {0} if place is None else {identity[place] for identity in known[client]}
        sent = {event.detail.get("server") for event in trace.sends}
        greeted = not isinstance(link, SocketLink)
        if greeted and trace.sends and (client not in told or told[client].order > trace.sends[0].order):
            yield f"{operation_name(trace.operation)} was sent before a hello was answered"
        elif not sent <= bound:
            yield f"{operation_name(trace.operation)} was sent bound to {sent}; what its client knew was {bound}"


def lines_are_kept(setting: Views) -> Iterator[str]:
    """An attempt's reply comes on the line on which it was sent, which is the one that ended if one did."""
    for trace in setting.odd_invoked.values():
        yield from _lines(trace)


def _lines(trace: Trace) -> Iterator[str]:
    sent = {event.attempt: event.detail.get("connection") for event in trace.sends}
    for event in (*trace.replies, *trace.ends):
        if event.detail.get("connection") != sent.get(event.attempt):
            line = event.detail.get("connection")
            yield f"{attempt_name(event)}, was sent on line {sent.get(event.attempt)}; {event.kind.name} is of {line}"
    ended = [event.attempt for event in trace.ends]
    lost = [before.attempt for before, then in pairwise(trace.sends) if _line(before) != _line(then)]
    if len(set(ended)) < len(ended) or not set(ended).issuperset(lost):
        yield f"{operation_name(trace.operation)} lost the lines of attempts {lost}, and journalled that of {ended}"


def _line(event: Event) -> object:
    return event.detail.get("connection")


def calls_wait_at_their_gates(setting: Views) -> Iterator[str]:
    """Each gate of the plan is passed once, before its call; what is behind heal's is invoked after heal."""
    passed: dict[Operation, list[Event]] = defaultdict(list)
    for event in setting.index.of_kind(Kind.GATE):
        passed[event.operation].append(event)
    for number, caller in setting.callers.items():
        for seq, gates in _gates(caller.plan).items():
            invoked, found = setting.index.invoked.get((number, seq)), passed.pop((number, seq), [])
            told = [event.detail.get("gate") for event in found]
            if told != (gates if invoked else gates[: len(told)]):
                yield f"{operation_name((number, seq))} waited at the gates {told}; the plan has {gates}"
            if invoked and invoked.invoke and any(event.order > invoked.invoke.order for event in found):
                yield f"{operation_name((number, seq))} waited at its gate after it was invoked"
    for operation in passed:
        yield f"{operation_name(operation)} waited at a gate that the plan has not"


def _gates(plan: Client | Driver) -> dict[int, list[int]]:
    """Call -> the gates at which it waits, in order."""
    last = plan.last_before_heal + 1
    gates = {call: [call] for call in before_heal(plan.gates)}
    return {**gates, last: [*gates.get(last, []), HEAL]}


def who_shares_a_line_sees_its_end(setting: Views) -> Iterator[str]:
    """When a line ends, each call with an attempt open on it journals that, at once."""
    began: dict[tuple[int, object], int] = {}
    for event in setting.suspected(Kind.END):
        began.setdefault((event.client, _line(event)), event.order)
    for trace in setting.odd_invoked.values():
        ended = {event.attempt for event in trace.ends}
        for send in trace.sends:
            order = began.get((send.client, _line(send)), -1)
            if send.attempt not in ended and send.order < order and _waits(trace, send, order):
                yield f"{attempt_name(send)}, was open on line {_line(send)}, which ended, and its client never said so"


def _waits(trace: Trace, send: Event, order: int) -> bool:
    """Whether it was the latest attempt of a call that was open then."""
    further = any(event.attempt > send.attempt and event.order < order for event in trace.attempts)
    return not further and trace.completion is not None and trace.completion.order > order
