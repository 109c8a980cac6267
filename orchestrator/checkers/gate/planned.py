"""PURE: the invokes are the planned ones, or the run says what cut them.

A plan fixes for each client process how many operations there are and how many may be open at a time, and of each its
number, its intent, its procedure and its argument; of a program of the user's, its number and intent. Settling that was
ended by its cap cuts the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from math import inf

from nodes.wire.header import intent_number
from nodes.wire.record import COMPLETIONS, Kind
from orchestrator.checkers.gate.names import operation_name
from orchestrator.checkers.setting import Caller
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Event
from orchestrator.scenario.cell import Client

CUTS = frozenset({"settle-capped"})
"""The phases from which clients begin no further operations."""


def invokes_are_planned(setting: Views) -> Iterator[str]:
    """Each client process invokes its operations from 1 on, each once, in order, and all unless it is cut."""
    numbers: dict[int, list[tuple[int, int]]] = defaultdict(list)
    invokes: dict[int, list[Event]] = defaultdict(list)
    for order, (client, seq) in setting.courses.invokes():
        numbers[client].append((order, seq))
    for event in setting.suspected(Kind.INVOKE):
        numbers[event.client].append((event.order, event.seq))
        invokes[event.client].append(event)
    cut = any(event.detail["phase"] in CUTS for event in setting.index.of_kind(Kind.PHASE))
    for number, caller in setting.callers.items():
        yield from _numbers(number, caller, [seq for _, seq in sorted(numbers[number])], cut)
        yield from _contents(setting, caller, invokes.get(number, []))
    for number in invokes.keys() - setting.callers.keys():
        yield f"{operation_name(invokes[number][0].operation)} was invoked, and the plan has no such client"


def no_more_are_open_than_planned(setting: Views) -> Iterator[str]:
    """A client process begins a call when fewer of its calls are open than the plan has outstanding at a time."""
    begun: dict[int, list[int]] = defaultdict(list)
    ended: dict[int, list[int]] = defaultdict(list)
    for (client, _), invoked, completed in setting.courses.spans():
        begun[client].append(invoked)
        ended[client].append(completed)
    for kinds, orders in (((Kind.INVOKE,), begun), (COMPLETIONS, ended)):
        for event in (event for kind in kinds for event in setting.suspected(kind)):
            orders[event.client].append(event.order)
    for number, caller in setting.callers.items():
        outstanding = caller.plan.outstanding if isinstance(caller.plan, Client) else 1
        later = sorted(begun[number])[outstanding:]
        earlier = chain(sorted(ended[number]), repeat(inf))  # what never ended is open for ever
        if any(end > begin for end, begin in zip(earlier, later, strict=False)):
            yield f"client {number} had more calls open at a time than the plan has, which is {outstanding}"


def _numbers(number: int, caller: Caller, numbers: Sequence[int], cut: bool) -> Iterator[str]:
    calls = caller.plan.calls
    due = range(1, len(numbers) + 1)
    odd = next((place for place, seq in zip(due, numbers, strict=True) if place != seq), None)
    if odd is not None:
        yield f"client {number} invoked operation {numbers[odd - 1]} where operation {odd} was due"
    elif len(numbers) > calls:
        yield f"client {number} invoked {len(numbers)} operations of {calls} that the plan has"
    elif len(numbers) < calls and not cut:
        yield f"client {number} invoked {len(numbers)} of {calls} operations, and nothing is on record that cut them"


def _contents(setting: Views, caller: Caller, invokes: Sequence[Event]) -> Iterator[str]:
    for event in invokes:
        intent = intent_number(caller.ordinal, caller.process, event.seq)
        planned = (caller.node, caller.process, intent, *setting.asked(caller, event.seq, intent))
        detail = event.detail
        found = (event.node, event.process, detail.get("intent"), detail.get("f"), detail.get("value"))
        if found != planned:
            told = f"is {_told(found)}, and the plan has {_told(planned)}"
            yield f"{operation_name(event.operation)} {told}"
            return


def _told(what: tuple[object, ...]) -> str:
    node, process, intent, f, value = what
    return f"{f}({value!r}) by process {process} of {node} with intent {intent}"
