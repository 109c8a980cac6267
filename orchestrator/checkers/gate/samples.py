"""PURE: what servers say that they used, and clients of their crowds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, pairwise

from nodes.wire.record import Kind
from orchestrator.checkers.gate.fields import FIELDS
from orchestrator.checkers.gate.names import life_name
from orchestrator.checkers.views import Views
from orchestrator.run.specs import samples


def counts_never_fall(setting: Views) -> Iterator[str]:
    """Each is of one process, from its start on: what was counted once stays counted, and who can count always can."""
    for life, usage in setting.index.usage.items():
        for key in FIELDS[Kind.USAGE]:
            counted = [sample.detail.get(key) for sample in usage]
            for before, now in pairwise(chain((None if counted[0] is None else 0,), counted)):
                if (before is None) != (now is None) or (before is not None and now is not None and now < before):
                    yield f"{life_name(life)} says {key} {before}, and then {now}; what is counted never falls"
                    break


def samples_are_there(setting: Views) -> Iterator[str]:
    """Where the plan has them, a server that stopped in order said last what it had used."""
    if not samples(setting.cell):
        return
    for life, events in setting.index.lives.items():
        stopped = life[0] in setting.cell.servers and events[-1].kind is Kind.STOP
        if stopped and (len(events) < 2 or events[-2].kind is not Kind.USAGE):
            yield f"{life_name(life)} stopped, and did not say before what it had used"


def crowds_tell_how_large_they_were(setting: Views) -> Iterator[str]:
    """Each time that one ends, once; no larger than it was to be, and of no more at once than came."""
    told: dict[int, int] = {}
    for event in setting.index.in_order(Kind.RULE, Kind.CROWD):
        detail, rule = event.detail, event.detail["rule"]
        if rule not in range(len(setting.cell.faults)) or not setting.cell.faults[rule].by_client:
            continue
        if event.kind is Kind.CROWD:
            told[rule] = told.get(rule, 0) + 1
            most = min(detail["connected"], setting.cell.faults[rule].beside)
            if min(detail[key] for key in FIELDS[Kind.CROWD]) < 0 or detail["most"] > most:
                yield f"{event.node} says that {detail} was a crowd of {setting.cell.faults[rule].beside}"
        elif not detail["active"] and told.pop(rule, 0) != 1:
            yield f"{event.node} ended the crowd of rule {rule}, and did not say once how large it had been"
