"""PURE: what a client of ours journals of each of its operations is whole and in order."""

from __future__ import annotations

from collections.abc import Iterator

from nodes.units import MILLISECOND
from nodes.wire.record import COMPLETIONS, Kind
from orchestrator.checkers.gate.names import attempt_name, operation_name
from orchestrator.checkers.retries import planned
from orchestrator.checkers.views import Views
from orchestrator.history.index import Trace
from orchestrator.history.merged import Event
from orchestrator.scenario.cell import Client, Link


def completions_are_single(setting: Views) -> Iterator[str]:
    """One invoke and exactly one completion, in this order, for each operation of a client. One that the loader had to
    close is its client's own omission: no client is killed."""
    for trace in setting.suspects:
        operation, own = trace.operation, (trace.invoke, trace.completion, *trace.further)
        events = sorted((event for event in own if event), key=lambda event: event.order)
        if not events:
            continue
        kinds = [event.kind for event in events]
        if len(kinds) != 2 or kinds[0] is not Kind.INVOKE or kinds[1] not in COMPLETIONS:
            names = ", ".join(kind.name for kind in kinds)
            told = f"journalled {names} for {operation_name(operation)}; expected one invoke and one completion"
            yield f"{events[0].node} {told}"
        elif events[1].detail.get("closed"):
            yield f"{events[0].node} never journalled how {operation_name(operation)} ended"


def attempts_are_whole(setting: Views) -> Iterator[str]:
    """Attempts count from 1. Each is journalled before it is sent or finds no connection, one of which it comes to."""
    for trace in setting.odd.values():
        if trace.invoke is None:
            yield from _uninvoked(trace)
        else:
            yield from _whole(trace, trace.invoke)


def _uninvoked(trace: Trace) -> Iterator[str]:
    own = [*trace.attempts, *trace.sends, *trace.unconnected]
    if own:
        yield f"{own[0].node} sent {operation_name(trace.operation)} and never journalled its invoke"


def _whole(trace: Trace, invoke: Event) -> Iterator[str]:
    begun, came = trace.attempts, trace.sends
    if trace.unconnected:
        came = sorted([*trace.sends, *trace.unconnected])
    if begun and begun[0].order < invoke.order:
        yield f"{invoke.node} journalled the invoke of {operation_name(trace.operation)} after sending it"
    number, after = 0, invoke.order
    for number, (begin, end) in enumerate(zip(begun, came, strict=False), 1):
        if not (begin.attempt == end.attempt == number and after <= begin.order < end.order):
            found = f"as attempt {begin.attempt} begun and attempt {end.attempt} {_came(end)}"
            yield f"{operation_name(trace.operation)}: its attempt {number} is on record {found}, or not in this order"
            return
        after = end.order
    if len(begun) > number:
        yield f"{attempt_name(begun[number])}, was begun and neither sent nor found without a connection"
    elif len(came) > number:
        yield f"{attempt_name(came[number])}, was {_came(came[number])} and never begun"


def _came(event: Event) -> str:
    return "sent" if event.kind is Kind.SEND else "found without a connection"


def waits_are_planned(setting: Views) -> Iterator[str]:
    """Each attempt was to wait as long as its client's plan lets chance say."""
    for trace in setting.odd_invoked.values():
        link, client = setting.link_of(trace), setting.cell.nodes.get(trace.node)
        if not isinstance(link, Link) or not isinstance(client, Client):
            continue
        retry = planned(client, link)
        for event in trace.attempts:
            least, most = retry.wait(event.attempt, 0), retry.wait(event.attempt, 1)
            if "wait" in event.detail and not least <= event.detail["wait"] <= most:
                plan = f"{least / MILLISECOND:g} to {most / MILLISECOND:g} ms"
                told = f"was to wait {event.detail['wait'] / MILLISECOND:g} ms; the plan has {plan}"
                yield f"{attempt_name(event)}, {told}"


GIVEN_UP = frozenset({"no reply", "no connection", "the connection ended"})
"""Why a call ends whose attempts are used up (nodes/drivers/rpc.py)."""


def attempts_are_as_many_as_planned(setting: Views) -> Iterator[str]:
    """None is made beyond the plan's budget, and nobody gives up before it is spent."""
    for trace in setting.odd_invoked.values():
        if not isinstance(setting.cell.nodes.get(trace.node), Client):
            continue
        budget, made, end = setting.budget_of(trace), len(trace.attempts), trace.completion
        planned_for = "until settling" if budget is None else f"{budget} attempts"
        if budget is not None and made > budget:
            yield f"{operation_name(trace.operation)} had {made} attempts; the plan has {planned_for}"
        elif end is not None and end.detail.get("error") in GIVEN_UP and (budget is None or made < budget):
            told = f"{operation_name(trace.operation)} was given up ({end.detail['error']}) after {made} attempts"
            yield f"{told}; the plan has {planned_for}"


def sends_say_the_first_incomplete(setting: Views) -> Iterator[str]:
    """A message says as its first incomplete number at most that of its client's lowest open operation: the server
    forgets what is below. A SEND that does not say it is let through in a history of an older version."""
    recorded = bool(setting.index.history.plan)
    unsaid = [event for event in setting.suspected(Kind.SEND) if recorded and event.detail.get("first") is None]
    for event, lowest in sorted([*setting.index.ahead, *((event, 0) for event in unsaid)]):
        if event.detail.get("first") is None:
            yield f"{attempt_name(event)}, was sent, and no journal says with which first incomplete number"
        else:
            yield (
                f"{event.node} sent {attempt_name(event)}, with {event.detail['first']} as its first incomplete number "
                f"while operation {lowest} was open"
            )
