"""PURE: faults on processes."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.faults.processes import Kill, Pause, Restart
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.coherence.messages import operations
from orchestrator.scenario.coherence.problem import Path, Problem, names, trigger

CLIENT_TARGETS = {
    "kill": "one that dies forgets its calls: it keeps no log of what was wanted",
    "pause": "one that is stopped looks late with nothing done to its messages",
}
"""Why a client is not a process fault's target."""


OUTSIDE_TRANSACTIONS = ("received", "after-commit", "before-send", "after-send")
"""Failpoints at which a server holds no lock on its ledger."""


def problems(cell: Cell, fault: Kill | Pause, path: Path) -> Iterator[Problem]:
    verb, target = ("kill", fault.kill) if isinstance(fault, Kill) else ("pause", fault.pause)
    if target in cell.clients:
        message = f"{target!r} is a client, and {CLIENT_TARGETS[verb]}; {verb} takes a server: {names(cell.servers)}"
        yield Problem((*path, verb), message)
        return
    if target not in cell.servers:
        yield Problem((*path, verb), f"no server {target!r}; expected one of {names(cell.servers)}")
        return
    if isinstance(fault, Kill):
        yield from _kill(cell, fault, path)
    else:
        yield from _pause(cell, fault, path)
    yield from _failpoint(cell, fault, target, path)
    if fault.restart is not None:
        yield from _restart(cell, fault.restart, (*path, "restart"))
    if fault.at is None and fault.when is None and fault.after is None:
        yield Problem(path, f"nothing says when to {verb}; expected at, when or after")
    if fault.at is None and (fault.operation is not None or fault.nth is not None):
        yield Problem(path, "an operation or an nth without a failpoint; expected at")


def _kill(cell: Cell, fault: Kill, path: Path) -> Iterator[Problem]:
    if fault.lasts is not None:
        yield Problem((*path, "lasts"), "a kill does not last; expected restart: {after: ...}")


def _pause(cell: Cell, fault: Pause, path: Path) -> Iterator[Problem]:
    if fault.restart is None:
        return
    if fault.at not in OUTSIDE_TRANSACTIONS:
        expected = f"expected at one of {names(OUTSIDE_TRANSACTIONS)}"
        yield Problem((*path, "restart"), f"a process stopped inside a transaction keeps its successor out; {expected}")
    if fault.restart.state != "keep":
        yield Problem((*path, "restart", "state"), "the one that was stopped still has the ledger open; expected keep")
    for link in cell.links:
        if link.target == fault.pause and link.via == "direct":
            message = f"link {link.name} is direct, and two processes cannot have its one address; expected via: relay"
            yield Problem((*path, "restart"), message)


def _failpoint(cell: Cell, fault: Kill | Pause, target: str, path: Path) -> Iterator[Problem]:
    if fault.at is not None and (fault.when is not None or fault.after is not None):
        yield Problem((*path, "at"), "a failpoint and a time; expected at alone, or when and after")
    if fault.at is not None and (fault.operation is None) == (fault.nth is None):
        yield Problem((*path, "at"), "expected either the operation or the nth passage to act at")
    if fault.operation is not None:
        yield from _operation(cell, fault, fault.operation, target, path)


def _restart(cell: Cell, restart: Restart, path: Path) -> Iterator[Problem]:
    if restart.when is not None:
        yield from trigger(cell, restart.when, (*path, "when"))
    if restart.after < 0:
        yield Problem((*path, "after"), "expected a duration that is not negative")


def _operation(cell: Cell, fault: Kill | Pause, operation: int, target: str, path: Path) -> Iterator[Problem]:
    callers = [cell.clients[link.source] for link in cell.links if link.target == target]
    if not callers:
        yield Problem((*path, "operation"), f"nobody calls {target!r}")
        return
    yield from operations(callers[0], (operation,), (*path, "operation"))
    if not 1 <= fault.client <= callers[0].clients:
        yield Problem((*path, "client"), f"client process {fault.client} of {callers[0].clients}")
    for key in ("attempt", "epoch"):
        if getattr(fault, key) < 1:
            yield Problem((*path, key), "counts from 1")
