"""PURE: which phases their caps ended, and which calls came too late for the faults.

A cell speaks of the calls that its scenario plans under faults. One that was not invoked before heal was never tried,
whatever the others show; so was one that stayed open although nothing was to keep it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from nodes.wire.record import Kind
from orchestrator.checkers.names import operation_name
from orchestrator.checkers.setting import Setting
from orchestrator.checkers.verdict import Cap
from orchestrator.history.merged import Event, Operation
from orchestrator.scenario.cell import UNTIL_DONE

CAPPED = {
    "load-capped": "load",
    "settle-capped": "settle",
    "predecessors-capped": "predecessors",
    "drain-capped": "drain",
}
"""What is put on record -> whose cap it was: of a phase, or of waiting for predecessors that woke."""
KEPT = "load-kept"
"""The phase that a fault ended which heal alone ends: it kept calls open."""

NAMED = 3
"""Operations that a text names; verdicts.json has them all."""


class Tried(NamedTuple):
    """Of `planned` calls before heal, how many were invoked before it."""

    planned: int
    invoked: int


def caps(setting: Setting) -> tuple[Cap, ...]:
    """In the order in which they were reached, with what was open then."""
    reached = [(CAPPED[name], event) for name, event in _phases(setting) if name in CAPPED]
    left = _open_at(setting, [event for _, event in reached])
    return tuple(Cap(phase, operations) for (phase, _), operations in zip(reached, left, strict=True))


def doubt(setting: Setting) -> str:
    """Why not every call that the scenario plans under faults was tried under them, "" if it was."""
    told = dict(_phases(setting))
    if "heal" not in told:
        return ""  # the evidence gate says that the run did not come so far
    tried = _tried(setting, told["heal"])
    missing = tried.planned - tried.invoked
    if missing:
        ended = _ended(setting, told)
        return f"{missing} of {tried.planned} calls that were to come before heal were not invoked by then{ended}"
    if setting.cell.load == UNTIL_DONE and "load-capped" in told:
        return f"nothing was completed any more, and nobody knows why{_with(setting, told['load-capped'])}"
    return ""


def _ended(setting: Setting, told: dict[str, Event]) -> str:
    """How the load came to its end."""
    if KEPT in told:
        faults = [f"{index + 1} ({setting.cell.faults[index].verb})" for index in told[KEPT].detail["faults"]]
        kept = f": fault {', '.join(faults)} lasts until heal{_with(setting, told[KEPT])}"
        return f"{kept}; expected calls behind it to be among after_heal"
    if "load-capped" not in told:
        return ""
    load = setting.cell.load
    cap = "nothing was completed any more" if load == UNTIL_DONE else f"load ended after its cap of {load} ms"
    return f": {cap}{_with(setting, told['load-capped'])}"


def _with(setting: Setting, event: Event) -> str:
    (found,) = _open_at(setting, [event])
    return f", with {open_text(found)}" if found else ""


def open_text(operations: tuple[Operation, ...]) -> str:
    """Such as "2 calls open (operation 3 of client 10101, operation 3 of client 10201)"."""
    named = map(operation_name, operations[:NAMED])
    more = f" and {len(operations) - NAMED} more" if len(operations) > NAMED else ""
    return f"{len(operations)} call{'s' * (len(operations) > 1)} open ({', '.join(named)}{more})"


def _phases(setting: Setting) -> Iterator[tuple[str, Event]]:
    return ((str(event.detail.get("phase")), event) for event in setting.index.of_kind(Kind.PHASE))


def _open_at(setting: Setting, events: Sequence[Event]) -> list[tuple[Operation, ...]]:
    """What was open at each of the events, which are in order."""
    orders = [event.order for event in events]
    found: list[list[Operation]] = [[] for _ in orders]
    for operation, trace in setting.index.invoked.items() if orders else ():
        if trace.invoke and trace.completion:
            first = bisect_right(orders, trace.invoke.order)
            for place in range(first, bisect_left(orders, trace.completion.order, first)):
                found[place].append(operation)
    return [tuple(operations) for operations in found]


def _tried(setting: Setting, heal: Event) -> Tried:
    last = {number: caller.plan.last_before_heal for number, caller in setting.callers.items()}
    invoked: set[Operation] = set()
    ordered, events, clocks = setting.index.ordered, setting.index.events, setting.index.history.clocks
    for order, operation in setting.courses.invokes():
        later = order > heal.order and (not clocks or ordered(heal, events[order]))
        if operation[1] <= last.get(operation[0], 0) and not later:
            invoked.add(operation)
    for event in setting.suspected(Kind.INVOKE):
        if event.seq and event.seq <= last.get(event.client, 0) and not ordered(heal, event):
            invoked.add(event.operation)
    return Tried(sum(last.values()), len(invoked))
