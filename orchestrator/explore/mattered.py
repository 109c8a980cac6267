"""PURE: a fault that may meet many, as the one thing that it did in a recorded run: to a message, or at a moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from chaos.decisions import Awaits, Keep
from chaos.faults.fault import Fault
from chaos.faults.messages import Delay, Drop, MessageFault
from chaos.faults.paths import Partition
from chaos.faults.processes import ProcessFault
from chaos.recorded import Entry
from nodes.wire.header import process_of
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.log import Log, Strike, reported
from orchestrator.scenario.triggers import TriggerEvent

MILLISECOND = 1_000_000


def mattered(cell: Cell, place: int, log: Log) -> Iterator[Fault]:
    """What may stand in the place of this fault of the cell, each for one entry of the log; not the fault itself."""
    fault = cell.faults[place]
    found: list[Fault] = []
    if isinstance(fault, ProcessFault):
        found = [one for strike in log.strikes if strike.fault == place for one in _struck(fault, strike)]
    elif isinstance(fault, (MessageFault, Partition)):
        found = [_decided(cell, fault, entry) for entry in log.decisions if entry.rule == place and _first(entry)]
    yield from (one for one in dict.fromkeys(found) if one != fault)


def _first(entry: Entry) -> bool:
    """A scenario names first copies of an operation's messages; a hello is none."""
    return entry.key.seq != 0 and entry.key.occurrence == 1


def _decided(cell: Cell, fault: MessageFault | Partition, entry: Entry) -> Fault:
    key, decision = entry.key, entry.decision
    source = next(link.source for link in cell.links if link.name == key.link)
    alone = cell.clients[source].clients == 1
    of: dict[str, Any] = {
        "link": key.link,
        "operations": (key.seq,),
        "clients": None if alone else (process_of(key.client),),
        "attempt": key.attempt,
    }
    if isinstance(fault, Partition):
        return Drop(drop=key.direction, **of)
    if isinstance(fault, Delay) and isinstance(decision, Keep) and decision.awaits is Awaits.TIME:
        of |= {"by": max(1, decision.by // MILLISECOND), "jitter": 0}
    return replace(fault, every=None, probability=None, **of)


def _struck(fault: ProcessFault, strike: Strike) -> Iterator[Fault]:
    if strike.passage is not None and fault.nth is not None:
        client, operation, attempt = strike.passage
        at: dict[str, Any] = {"client": process_of(client), "operation": operation, "attempt": attempt}
        yield replace(fault, nth=None, epoch=strike.epoch, **at)
    moment = reported(strike.when)
    if fault.after is not None and moment is not None and moment[1] in set(TriggerEvent):
        node, event, number = moment
        yield replace(fault, after=None, when=f"{node} {event} {number}")
