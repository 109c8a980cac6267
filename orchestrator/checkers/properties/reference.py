"""PURE: a server's journal against the reference state machine of its mechanism, which is a file of its own
(orchestrator/checkers/reference_machine.py).

A ledger belongs to the newest epoch that opened it: an older one that writes after it has ignored its fence.

Of an operation that is not odd one copy was received, executed, committed and answered by the same process, so that
all of it is legal if it was legal to execute it; at most one more was received and answered, with the result, which has
to be legal too. Where it was not, every operation is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from nodes.units import MILLISECOND
from nodes.wire.record import Kind
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.reference_machine import Durable, Illegal, Reference, Results, said
from orchestrator.checkers.served import Forgot, served
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Courses
from orchestrator.history.merged import Event, Life, Operation
from orchestrator.scenario.cell import AnyLink

name = "reference"
needs = frozenset({View.JOURNALS})

NOBODY = Courses()


def check(setting: Views) -> Finding:
    try:
        return _checked(setting, setting.courses)
    except Illegal:
        return _checked(setting, NOBODY)


def _checked(setting: Views, even: Courses) -> Finding:
    """Every server process of the run, one after another, without a look at the operations that are `even`."""
    violations: list[Violation] = []
    stepped: Counter[Kind] = Counter()
    for node, epochs in setting.index.servers.items():
        durables: dict[tuple[str, int], Durable] = {}
        for epoch in epochs:
            violations.extend(_live(setting, (node, epoch), durables, stepped, even))
    violations.extend(_beside(setting))
    counts = {what: stepped[kind] for what, kind in COUNTED.items()}
    return Finding(name, tuple(violations), counts)


def _beside(setting: Views) -> Iterator[Violation]:
    for row in setting.index.outdated:
        yield Violation(row.operation, f"{said(row)} was written after a later epoch had written to that ledger")


COUNTED = {"copies": Kind.RECEIVE, "executions": Kind.EXECUTE, "answers": Kind.ANSWER}


def _live(
    setting: Views,
    life: Life,
    durables: dict[tuple[str, int], Durable],
    stepped: Counter[Kind],
    even: Courses,
) -> Iterator[Violation]:
    """By the links that the plan has. Events of others than its clients are the gate's; those without a number (client
    0) have no mechanism."""
    references = {
        link.source: _reference(setting, link, life, durables) for link in setting.cell.links if link.target == life[0]
    }
    of_client = {number: references.get(caller.node) for number, caller in setting.callers.items()}
    yield from _steps(setting, life, of_client, stepped, even if life not in setting.index.receipts.tardy else NOBODY)
    stop = next((event for event in setting.index.of_kind(Kind.STOP) if (event.node, event.epoch) == life), None)
    if stop is not None and not setting.index.killed(life):
        for reference in references.values():
            yield from reference.finish(stop.time - _unfinished(setting, life))


def _steps(
    setting: Views, life: Life, of_client: Mapping[int, Reference | None], stepped: Counter[Kind], even: Courses
) -> Iterator[Violation]:
    """Raises Illegal for what has to be looked at whole."""
    for each in served(setting, life, even):
        client = each.client if isinstance(each, Event) else each[0]
        reference = of_client.get(client)
        if reference is None:
            continue
        if isinstance(each, Forgot):
            yield from reference.forgot(each.client, each.mark)
            continue
        if not isinstance(each, Event):
            for kind in reference.heard(each, even[each]):
                stepped[kind] += 1
            continue
        stepped[each.kind] += 1
        if even and each.seq and client in reference.due:
            raise Illegal
        yield from reference.step(each)
    if even and any(reference.due for reference in of_client.values() if reference):
        raise Illegal


def _unfinished(setting: Views, life: Life) -> int:
    """So many nanoseconds before its stop it may have begun what its procedure had no time to end: the run's draining
    has a cap, which ends what takes longer."""
    phases = {event.detail.get("phase") for event in setting.index.of_kind(Kind.PHASE)}
    return setting.cell.servers[life[0]].yields * MILLISECOND if "drain-capped" in phases else 0


def _reference(setting: Views, link: AnyLink, life: Life, durables: dict[tuple[str, int], Durable]) -> Reference:
    start = setting.index.start(life)
    history = int(start.get("history") or 0)
    forgetful = bool(setting.index.history.plan) or life in setting.index.receipts.forgetful
    if link.semantics != "exactly-once":
        incarnation = int(start.get("incarnation") or 0) if link.semantics == "at-most-once-incarnation" else 0
        return Reference(link, incarnation, Durable(), Results(lambda _: []), forgetful)
    durable = durables.setdefault((link.name, history), Durable())
    earlier = partial(_inherited, setting, life, history)
    return Reference(link, history, durable, Results(earlier), forgetful)


def _inherited(setting: Views, life: Life, history: int, operation: Operation) -> list[Any]:
    """Results that earlier epochs of the same durable history committed, by the ledger."""
    trace, ids = setting.odd.get(operation), setting.index.histories
    return [
        effect.detail["result"]
        for effect in (trace.effects if trace else ())
        if effect.node == life[0] and effect.epoch < life[1] and ids.get(effect.life) == history
    ]
