"""PURE: of which failure models a fault's bite of an operation was.

The fault says what it may bring (chaos/faults/models.py). Where that is several, and of what only the history knows, it
is decided here:

- what the receiver took though it was altered is outside every model;
- a connection cut, if the fault ended the connection, and not what it does to one that lives on;
- reordering, if what was kept was overtaken by another operation of its client;
- of what a kernel does by chance: loss of what did not come, duplication of what came twice, delay of the rest;
- history trim, whatever else it was, if a copy came after the trim.
"""

from __future__ import annotations

from collections.abc import Callable

from chaos.faults.fault import Fault
from chaos.faults.models import Model
from nodes.wire.record import Kind
from nodes.wire.transports import TRANSPORTS
from orchestrator.checkers.bites.messages import altered, overtaken
from orchestrator.checkers.bites.transits import transits
from orchestrator.checkers.bites.values import RuleBite
from orchestrator.checkers.failures import failures
from orchestrator.checkers.opportunities import repeat_after_trim, seen_out_of_order
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Trace, per_attempt
from orchestrator.history.merged import Event, Operation
from orchestrator.run.specs import plane_of


def by_rule(setting: Setting, bite: Callable[[Setting, int, Fault], RuleBite]) -> tuple[RuleBite, ...]:
    """What each fault of the cell bit, and of which models it was."""
    faults = enumerate(setting.cell.faults)
    return tuple(_with_models(setting, bite(setting, index, fault), fault) for index, fault in faults)


def _with_models(setting: Setting, bite: RuleBite, fault: Fault) -> RuleBite:
    """What bit one by a decision on its message bit those that went as it did alike."""
    found: dict[Model, set[Operation]] = {}
    decided = fault.on_process is None and bool(setting.alike)
    for operation in bite.bitten & setting.odd.keys() if decided else bite.bitten:
        for model in models(setting, bite.rule, fault, setting.trace(operation)):
            found.setdefault(model, set()).add(operation)
    all_of = setting.with_alike if decided else frozenset[Operation]
    return bite._replace(models={model: all_of(operations) for model, operations in found.items()})


def models(setting: Setting, rule: int, fault: Fault, trace: Trace) -> frozenset[Model]:
    """Of the bite of this operation by the fault, which has this number."""
    link = setting.link_of(trace)
    packets = plane_of(setting.cell, fault) == "packet"
    found = set(fault.models(datagrams=link is not None and not TRANSPORTS[link.transport].ordered, packets=packets))
    decided = trace.decided_by(rule)
    if fault.alters and any(altered(event, trace) for event in decided):
        return frozenset()
    if "connection-cut" in found and len(found) > 1:
        ended = any(event.kind is Kind.END for event in failures(setting, trace))
        found = {"connection-cut"} if ended else found - {"connection-cut"}
    elif {"delay", "reordering"} == found and not _overtaken(setting, decided, trace):
        found = {"delay"}
    elif packets and len(found) > 1:
        found &= _by_chance(setting, trace)
    if repeat_after_trim(setting, trace):
        found.add("history-trim")
    return frozenset(found)


def _overtaken(setting: Setting, decided: list[Event], trace: Trace) -> bool:
    """A plane that sees no messages decides nothing: there it is what its server saw."""
    return any(overtaken(setting, event, trace) for event in decided) if decided else seen_out_of_order(setting, trace)


def _by_chance(setting: Setting, trace: Trace) -> set[Model]:
    """What may have been done to the operation's messages, by what became of them."""
    found: set[Model] = {"reordering"} if seen_out_of_order(setting, trace) else set()
    if any(transit.lost for transit in transits(setting, trace)):
        found.add("loss")
    ways = ((trace.sends, trace.receives), (trace.answers, trace.replies))
    if any(per_attempt(received) - per_attempt(sent) for sent, received in ways):
        found.add("duplication")
    return found | ({"delay"} if not found & {"loss", "duplication"} else set())
