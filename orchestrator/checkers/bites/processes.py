"""PURE: which operations a fault on a process bit: by its journal, its end, and who waited for it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from chaos.faults.fault import Fault
from chaos.faults.processes import Kill, Pause, ProcessFault
from orchestrator.checkers.bites.fired import fired
from orchestrator.checkers.bites.values import RuleBite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Outage, Trace
from orchestrator.history.intervals import Intervals
from orchestrator.history.merged import Life, Operation
from orchestrator.run.specs import failpoint_client

SIGKILL = 9


def bite(setting: Setting, index: int, fault: ProcessFault) -> RuleBite:
    return BITES[type(fault)](setting, index, fault)


# Kills


def _kill(setting: Setting, index: int, fault: Kill) -> RuleBite:
    life = _killed_life(setting, index, fault)
    named = _named_by_process(setting, index, fault, life)
    nothing: frozenset[Operation] = frozenset()
    if life is None or (fault.at is not None and fired(setting, index, fault) is None):
        return RuleBite(index, named, nothing, nothing)
    done = _died(setting, index, fault, life) and _came_back(setting, fault, life)
    return RuleBite(index, named, named, named if done else nothing)


def _killed_life(setting: Setting, index: int, fault: Kill) -> Life | None:
    """The process that this fault killed: at a failpoint in the epoch that it names, else the one that was acted on."""
    if fault.at is not None:
        return (fault.kill, fault.epoch)
    act = next(iter(setting.index.done_by(index, "kill")), None)
    return (act.detail["node"], act.detail["epoch"]) if act else None


def _died(setting: Setting, index: int, fault: Kill, life: Life) -> bool:
    """Reaped by that signal; its failpoint's line is the last one of the journal."""
    reaped = setting.index.reaped.get(life)
    if reaped is None or reaped.detail.get("signal") != SIGKILL:
        return False
    return fault.at is None or fired(setting, index, fault) == setting.index.lives[life][-1]


def _came_back(setting: Setting, fault: Kill, life: Life) -> bool:
    """With the same durable history, or after archiving with another. Without a restart, heal may bring it back."""
    successor = (life[0], life[1] + 1)
    if successor not in setting.index.lives:
        return fault.restart is None
    ids = setting.index.histories
    if life not in ids or successor not in ids:
        return True
    archived = fault.restart is not None and fault.restart.state == "archive"
    return (ids[life] != ids[successor]) == archived


def _named_by_process(setting: Setting, index: int, fault: ProcessFault, life: Life | None) -> frozenset[Operation]:
    """The operation of a failpoint; without one, those that were open while the process was away."""
    if fault.at is not None:
        line = fired(setting, index, fault)
        operation = (failpoint_client(setting.cell, fault), fault.operation or 0) if line is None else line.operation
        return frozenset({operation} & setting.index.invoked.keys())
    return frozenset() if life is None else _open_without(setting, life)


def _open_without(setting: Setting, life: Life) -> frozenset[Operation]:
    """The operations that were open while the process was dead or stopped."""
    away = Intervals(outage for outage in (*setting.index.downs, *setting.index.pauses) if outage.life == life)
    return frozenset(
        operation
        for operation, trace in setting.index.invoked.items()
        if life[0] in (trace.node, setting.server_of(trace)) and trace.open_in(away)
    )


# Pauses


def _pause(setting: Setting, index: int, fault: Pause) -> RuleBite:
    outage = _paused(setting, index, fault)
    named = _named_by_process(setting, index, fault, outage.life if outage else None)
    if outage is None:
        return RuleBite(index, named, frozenset(), frozenset())
    killed = setting.index.events[outage.end].detail.get("act") == "kill"
    felt = _starved if killed else _stalled
    bitten = frozenset(operation for operation in named if felt(setting.trace(operation), outage))
    return RuleBite(index, named, named, bitten)


def _paused(setting: Setting, index: int, fault: Pause) -> Outage | None:
    """What the fault did, if a resume, or a kill, ended it."""
    if fault.at is not None:
        line = fired(setting, index, fault)
        begins = set() if line is None else {line.order}
    else:
        begins = {act.order for act in setting.index.done_by(index, "pause") if act.detail.get("node") == fault.pause}
    return next((outage for outage in setting.index.pauses if outage.begin in begins), None)


def _stalled(trace: Trace, outage: Outage) -> bool:
    """The process had the operation before it, or a message of it on the way, and its next step came after.

    It journals nothing of the operation while it is stopped.
    """
    theirs = [*trace.receives, *trace.executes, *trace.commits, *trace.answers, *trace.replies]
    own = [event.order for event in theirs if event.life == outage.life]
    moves = [event.order for event in (*trace.decisions, *trace.sends)]
    waited = any(order < outage.end for order in (*own, *moves))
    return waited and max(own, default=0) > outage.end and not any(outage.begin < order < outage.end for order in own)


def _starved(trace: Trace, outage: Outage) -> bool:
    """The process was killed while it was stopped: a message was on its way to it, or the operation before it, and it
    did nothing with it any more."""
    theirs = [*trace.receives, *trace.executes, *trace.commits, *trace.answers]
    own = [event for event in theirs if event.life == outage.life]
    passed = [event for event in trace.decisions if event.detail.get("direction") == "request"]
    before = {event.attempt for event in (*own, *(passed or trace.sends)) if event.order < outage.end}
    done = {event.attempt for event in trace.answers if event.life == outage.life}
    return bool(before - done) and not any(event.order > outage.begin for event in own)


BITES: Mapping[type[Fault], Callable[[Setting, int, Any], RuleBite]] = MappingProxyType({Kill: _kill, Pause: _pause})
"""Every fault on a process."""
