"""PURE: what is wrong and where, and what several parts of a cell are checked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chaos.faults.processes import Kill
from chaos.faults.vocabulary import Fault
from orchestrator.scenario.cell import Cell, Link
from orchestrator.scenario.triggers import CLIENT_EVENTS, FAULT_EVENTS, SERVER_EVENTS, TriggerEvent, parse_trigger

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """`path` leads into the document; its end may be a key that is not there."""

    path: Path
    message: str


def names(found: Iterable[str]) -> str:
    return ", ".join(sorted(found)) or "none"


def link_called(cell: Cell, name: str) -> Link:
    """The link that a fault names, which is there."""
    return next(link for link in cell.links if link.name == name)


def trigger(cell: Cell, text: str, path: Path) -> Iterator[Problem]:
    """Whether what it waits for can come."""
    try:
        subject, event, number = parse_trigger(text)
    except ValueError as error:
        yield Problem(path, str(error))
        return
    if event in SERVER_EVENTS and subject not in cell.servers:
        yield Problem(path, f"{text!r}: no server {subject!r}; expected one of {names(cell.servers)}")
    elif event in CLIENT_EVENTS and subject not in cell.clients:
        yield Problem(path, f"{text!r}: no client {subject!r}; expected one of {names(cell.clients)}")
    elif event in CLIENT_EVENTS and number > cell.clients[subject].calls:
        yield Problem(path, f"{text!r}: {subject!r} makes {cell.clients[subject].calls} calls")
    elif event is TriggerEvent.GATE and number not in cell.clients[subject].gates:
        yield Problem(path, f"{text!r}: {subject!r} has no gate {number}; expected one in its gates")
    elif event is TriggerEvent.ATTEMPT and cell.system is not None:
        yield Problem(path, f"{text!r}: a driver's attempts are its own affair; expected ok, end or gate")
    elif event in FAULT_EVENTS and (fault := named(cell, subject)) is None:
        yield Problem(path, f"{text!r}: no fault has the name {subject!r}")
    elif event is TriggerEvent.OFF and isinstance(fault, Kill):
        yield Problem(path, f"{text!r}: a kill has no end; expected {subject} on, or {fault.kill} ready")


def named(cell: Cell, name: str) -> Fault | None:
    return next((fault for fault in cell.faults if fault.name == name), None)
