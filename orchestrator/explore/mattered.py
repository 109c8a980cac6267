"""PURE: a fault that may meet many, as the one thing that it did in a recorded run: to a message, or at a moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from chaos.decisions import Keep
from chaos.faults.fault import Fault
from chaos.faults.processes import ProcessFault
from chaos.recorded import Entry
from nodes.units import MILLISECOND
from nodes.wire.header import process_of
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.log import Log, Strike, reported
from orchestrator.scenario.triggers import TriggerEvent


def mattered(cell: Cell, place: int, log: Log) -> Iterator[Fault]:
    """What may stand in the place of this fault of the cell, each for one entry of the log; not the fault itself."""
    fault = cell.faults[place]
    if (process := fault.on_process) is not None:
        found = [one for strike in log.strikes if strike.fault == place for one in _struck(process, strike)]
    else:
        found = [
            one for entry in log.decisions if entry.rule == place and _first(entry) for one in _met(cell, fault, entry)
        ]
    yield from (one for one in dict.fromkeys(found) if one != fault)


def _first(entry: Entry) -> bool:
    """A scenario names first copies of an operation's messages; a hello is none."""
    return entry.key.seq != 0 and entry.key.occurrence == 1


def _met(cell: Cell, fault: Fault, entry: Entry) -> Iterator[Fault]:
    key, decision = entry.key, entry.decision
    source = next(link.source for link in cell.links if link.name == key.link)
    clients = None if cell.clients[source].clients == 1 else (process_of(key.client),)
    kept = decision.by // MILLISECOND if isinstance(decision, Keep) else 0
    if (one := fault.at_one(key, clients, kept)) is not None:
        yield one


def _struck(fault: ProcessFault, strike: Strike) -> Iterator[Fault]:
    if strike.passage is not None and fault.nth is not None:
        client, operation, attempt = strike.passage
        at: dict[str, Any] = {"client": process_of(client), "operation": operation, "attempt": attempt}
        yield replace(fault, nth=None, epoch=strike.epoch, **at)
    moment = reported(strike.when)
    if fault.after is not None and moment is not None and moment[1] in set(TriggerEvent):
        node, event, number = moment
        yield replace(fault, after=None, when=f"{node} {event} {number}")
