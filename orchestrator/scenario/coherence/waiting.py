"""PURE: whether what a part of a cell waits for can come."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.faults.fault import Fault
from chaos.problem import Path, Problem, names
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.triggers import CLIENT_EVENTS, FAULT_EVENTS, SERVER_EVENTS, TriggerEvent, parse_trigger


def trigger(cell: Cell, text: str, path: Path) -> Iterator[Problem]:
    """Whether what it waits for can come."""
    try:
        subject, event, number = parse_trigger(text)
    except ValueError as error:
        yield Problem(path, str(error))
        return
    if event in SERVER_EVENTS and subject not in cell.called:
        yield Problem(path, f"{text!r}: no server {subject!r}; expected one of {names(cell.called)}")
    elif event in CLIENT_EVENTS and subject not in cell.callers:
        yield Problem(path, f"{text!r}: no client {subject!r}; expected one of {names(cell.callers)}")
    elif event in CLIENT_EVENTS and number > cell.callers[subject].calls:
        yield Problem(path, f"{text!r}: {subject!r} makes {cell.callers[subject].calls} calls")
    elif event is TriggerEvent.GATE and number not in cell.callers[subject].gates:
        yield Problem(path, f"{text!r}: {subject!r} has no gate {number}; expected one in its gates")
    elif event is TriggerEvent.ATTEMPT and cell.system is not None:
        yield Problem(path, f"{text!r}: a driver's attempts are its own affair; expected ok, end or gate")
    elif event in FAULT_EVENTS and (fault := named(cell, subject)) is None:
        yield Problem(path, f"{text!r}: no fault has the name {subject!r}")
    elif event is TriggerEvent.OFF and fault and fault.on_process and not fault.lasting:
        target = fault.on_process.target
        yield Problem(path, f"{text!r}: a {fault.verb} has no end; expected {subject} on, or {target} ready")


def named(cell: Cell, name: str) -> Fault | None:
    return next((fault for fault in cell.faults if fault.name == name), None)
