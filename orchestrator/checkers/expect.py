"""PURE: judges a run: every checker over its history, then the scenario's expectations on what they found."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from orchestrator.checkers import evidence
from orchestrator.checkers.bites.steps import steps
from orchestrator.checkers.caps import caps
from orchestrator.checkers.checker import asked, finding
from orchestrator.checkers.delivery import by_model
from orchestrator.checkers.expectations import judge_all
from orchestrator.checkers.expected_delivery import untried
from orchestrator.checkers.finding import Findings, verdict
from orchestrator.checkers.gate.fields import malformed
from orchestrator.checkers.guarded import Guard
from orchestrator.checkers.outcomes import outcome
from orchestrator.checkers.properties import CHECKERS
from orchestrator.checkers.replayed import came, replayed
from orchestrator.checkers.verdict import (
    NOTHING_KNOWN,
    ExpectationVerdict,
    Judgement,
    Met,
    Outcome,
    PropertyVerdict,
)
from orchestrator.checkers.views import Views
from orchestrator.history.collection import uncollected
from orchestrator.history.index import Index
from orchestrator.history.merged import History
from orchestrator.scenario.cell import Cell

CRASHED = "expectations"
"""What stands for all of them where judging them crashed."""


def judge(cell: Cell, history: History, plan: str = "") -> Judgement:
    """Everything that can be said about a run of `cell`, whose recorded form has the digest `plan`.

    A checker that crashes makes its property unknown, and the evidence gate fails by it: it tells over what.
    """
    guard = Guard()
    with uncollected():
        found, crash = guard(lambda: judged(Views(cell, Index(history), plan)), NOTHING_KNOWN)
    return found._replace(gate=(crash, *malformed(history))) if crash else found


class Verdicts(NamedTuple):
    """What a run is judged by, of all that can be said about it; see Judgement."""

    properties: tuple[PropertyVerdict, ...]
    expectations: tuple[ExpectationVerdict, ...]
    gate: tuple[str, ...]


def verdicts(setting: Views) -> Verdicts:
    gate = evidence.problems(setting)
    findings = {name: finding(checker, setting) for name, checker in CHECKERS.items() if asked(checker, setting)}
    return Verdicts(
        tuple(verdict(found) for found in findings.values()), _expectations(setting, findings), _crashed(setting, gate)
    )


def judged(setting: Views) -> Judgement:
    """The same of what is already a setting."""
    found, bites = verdicts(setting), setting.bite
    again, crash = replayed(setting)
    judgement = Judgement(
        properties=found.properties,
        expectations=(*came(again, crash), *found.expectations),
        opportunities={name: len(operations) for name, operations in setting.offered.items()},
        bitten=len(bites.bitten),
        missed=len(bites.missed),
        caught=len(bites.caught),
        late=len(bites.late),
        others=len(bites.others),
        outcomes=setting.guard.told(lambda: _outcomes(setting), ()),
        unchecked=tuple(evidence.unchecked(setting)),
        faults=steps(setting.cell, bites, setting.offered),
        caps=setting.guard.told(lambda: caps(setting), ()),
        replayed=again,
        models=setting.guard.told(lambda: by_model(setting), {}),
        untried=setting.guard.told(lambda: untried(setting), ()),
    )
    return judgement._replace(gate=_crashed(setting, found.gate))


def _crashed(setting: Views, gate: tuple[str, ...]) -> tuple[str, ...]:
    """With what crashed so far, and the record that is the likeliest cause of it."""
    crashes = setting.guard.crashes
    more = (*crashes, *malformed(setting.index.history)) if crashes else ()
    return (*gate, *(problem for problem in more if problem not in gate))


def _expectations(setting: Views, findings: Findings) -> tuple[ExpectationVerdict, ...]:
    nothing: tuple[ExpectationVerdict, ...] = ()
    judged, crash = setting.guard(lambda: judge_all(setting, findings), nothing)
    return (ExpectationVerdict(CRASHED, Met.INCONCLUSIVE, crash),) if crash else judged


def _outcomes(setting: Views) -> tuple[Outcome, ...]:
    seen: Counter[Outcome] = Counter()
    for operation in setting.bite.bitten:
        if not setting.goes_alike(operation):
            seen[outcome(setting.trace(operation))] += 1 + len(setting.alike.get(operation, ()))
    return tuple(found for found, _ in sorted(seen.items(), key=lambda item: (-item[1], item[0])))
