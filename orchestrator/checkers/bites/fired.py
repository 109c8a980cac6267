"""PURE: at which line of a journal a kill or a pause struck, of those at a failpoint."""

from __future__ import annotations

from chaos.faults.processes import ProcessFault
from orchestrator.checkers.setting import Setting
from orchestrator.history.merged import Event
from orchestrator.run.specs import failpoint_client
from orchestrator.scenario.cell import Cell


def fired(setting: Setting, index: int, fault: ProcessFault) -> Event | None:
    """The line at which it struck; None if it did not, or is at no failpoint."""
    lines = setting.index.failpoints.get((fault.target, fault.epoch), [])
    return next((line for line in lines if _is(setting.cell, index, fault, line)), None)


def _is(cell: Cell, index: int, fault: ProcessFault, line: Event) -> bool:
    """Journals of older versions do not tell whose failpoint it was: there it is one that fits."""
    if "fault" in line.detail:
        return bool(line.detail["fault"] == index)
    if fault.at != line.detail.get("name"):
        return False
    operation = (failpoint_client(cell, fault), fault.operation, fault.attempt)
    return fault.operation is None or operation == (line.client, line.seq, line.attempt)
