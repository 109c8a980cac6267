"""PURE: a cell as it is conducted in a replay: its faults on processes strike, end and restart at recorded triggers.

What a plane does to messages it takes from the log by itself; faults of planes that know no messages stay as the
scenario has them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chaos.faults.processes import ProcessFault, Restart
from nodes.wire.header import process_of
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.log import AT_ONCE, Strike
from orchestrator.scenario.triggers import TriggerEvent


def relived(cell: Cell) -> Cell:
    """The cell itself if it is no replay."""
    if cell.log is None:
        return cell
    strikes = {strike.fault: strike for strike in cell.log.strikes}
    struck = {
        index: _struck(fault.on_process, strikes.get(index))
        for index, fault in enumerate(cell.faults)
        if fault.on_process is not None
    }
    return cell.model_copy(update={"faults": tuple(struck.get(i, fault) for i, fault in enumerate(cell.faults))})


def _struck(fault: ProcessFault, strike: Strike | None) -> ProcessFault:
    if strike is None:
        return replace(fault, at=None, operation=None, nth=None, when=TriggerEvent.HEALED, after=None)
    if strike.passage is not None:
        client, seq, attempt = strike.passage
        fault = replace(fault, operation=seq, client=process_of(client), attempt=attempt, nth=None)
    elif strike.when == AT_ONCE:
        fault = replace(fault, when=None, after=0)
    else:
        fault = replace(fault, when=strike.when, after=None)
    ended: ProcessFault = _ended(fault, strike)
    return ended


def _ended(fault: Any, strike: Strike) -> Any:
    """What did not come before heal waits for it."""
    if strike.ends is None:
        fault = replace(fault, lasts=None)
    if fault.restart is not None:
        when = TriggerEvent.HEALED if strike.restart is None else strike.restart or None
        fault = replace(fault, restart=Restart(when=when, state=fault.restart.state))
    return fault
