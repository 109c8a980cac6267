"""PURE: judges a run: every checker over its history, then the scenario's expectations on what they found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from orchestrator.checkers import delivery, evidence, foreign, reference, replies
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.steps import steps
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.caps import caps
from orchestrator.checkers.expectations import Found, judge_all
from orchestrator.checkers.finding import Finding, verdict
from orchestrator.checkers.opportunities import offered
from orchestrator.checkers.outcomes import outcome
from orchestrator.checkers.setting import Setting
from orchestrator.checkers.verdict import Cap, ExpectationVerdict, Judgement, Met, Outcome
from orchestrator.history.index import Index
from orchestrator.history.merged import History, Operation
from orchestrator.scenario.cell import Cell

T = TypeVar("T")


def judge(cell: Cell, history: History) -> Judgement:
    """Everything that can be said about a run of `cell`. A checker that crashes makes its property unknown."""
    setting = Setting(cell, Index(history))
    gate = _gate(setting)
    found = _found(setting) if cell.system is None else _foreign(setting)
    return Judgement(
        properties=tuple(verdict(finding) for finding in found.findings.values()),
        expectations=_expectations(setting, found),
        opportunities={name: len(operations) for name, operations in found.offered.items()},
        bitten=len(found.bite.bitten),
        missed=len(found.bite.missed),
        caught=len(found.bite.caught),
        late=len(found.bite.late),
        others=len(found.bite.others),
        outcomes=_outcomes(setting, found.bite.bitten),
        gate=gate,
        faults=steps(cell, found.bite, found.offered),
        caps=_caps(setting),
    )


def _expectations(setting: Setting, found: Found) -> tuple[ExpectationVerdict, ...]:
    nothing: tuple[ExpectationVerdict, ...] = ()
    judged, crash = _guarded(lambda: judge_all(setting, found), nothing)
    return (ExpectationVerdict("expectations", Met.INCONCLUSIVE, crash),) if crash else judged


def _gate(setting: Setting) -> tuple[str, ...]:
    nothing: tuple[str, ...] = ()
    problems = evidence.problems if setting.cell.system is None else foreign.problems
    gate, crash = _guarded(lambda: problems(setting.index), nothing)
    return (f"the evidence gate failed: {crash}",) if crash else gate


def _found(setting: Setting) -> Found:
    none: frozenset[Operation] = frozenset()
    nothing: dict[str, frozenset[Operation]] = {}
    bites, no_bite = _guarded(lambda: bite(setting), Bite((), none, none, none, none, none))
    opportunities, no_opportunities = _guarded(lambda: offered(setting), nothing)
    failure = "; ".join(filter(None, (no_bite, no_opportunities)))
    findings = [
        *_delivery(setting, bites, opportunities, failure),
        _finding("replies", lambda: replies.check(setting)),
        _finding("reference", lambda: reference.check(setting)),
    ]
    return Found(bites, opportunities, {finding.name: finding for finding in findings}, failure)


def _foreign(setting: Setting) -> Found:
    none: frozenset[Operation] = frozenset()
    findings = {name: Finding(name, (), {}) for name in ("valid", "complete", "once")}
    nothing = Found(Bite((), none, none, none, none, none), {}, findings, "")
    found, crash = _guarded(lambda: foreign.judge(setting), nothing)
    if not crash:
        return found
    unknown = {name: finding._replace(failure=crash) for name, finding in findings.items()}
    return found._replace(findings=unknown, failure=crash)


def _delivery(
    setting: Setting, bites: Bite, opportunities: dict[str, frozenset[Operation]], failure: str
) -> tuple[Finding, ...]:
    """A level that was violated is so whatever else failed; that it held cannot be known then."""
    nothing: tuple[Finding, ...] = ()
    found, crash = _guarded(lambda: delivery.check(setting, opportunities, bites.bitten), nothing)
    if crash:
        return tuple(Finding(name, (), {}, crash) for name in ("valid", "complete", "once"))
    return tuple(finding if finding.violations else finding._replace(failure=failure) for finding in found)


def _finding(name: str, check: Callable[[], Finding]) -> Finding:
    finding, crash = _guarded(check, Finding(name, (), {}))
    return finding._replace(failure=crash)


def _guarded(check: Callable[[], T], otherwise: T) -> tuple[T, str]:
    """-> (what the check gives, ""), or (`otherwise`, why it crashed)."""
    try:
        return check(), ""
    except Exception as error:  # whatever a history holds, the other checkers go on
        return otherwise, f"a checker crashed: {type(error).__name__}: {error}"


def _caps(setting: Setting) -> tuple[Cap, ...]:
    nothing: tuple[Cap, ...] = ()
    found, _ = _guarded(lambda: caps(setting), nothing)
    return found


def _outcomes(setting: Setting, bitten: frozenset[Operation]) -> tuple[Outcome, ...]:
    nothing: list[Outcome] = []
    seen, _ = _guarded(lambda: [outcome(setting.index.traces[operation]) for operation in sorted(bitten)], nothing)
    return tuple(found for found, _ in sorted(Counter(seen).items(), key=lambda item: (-item[1], item[0])))
