"""PURE: what a scenario says of a level or a property, that it holds or is violated, judged by what checkers found."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.checkers.finding import Finding
from orchestrator.checkers.names import operation_name
from orchestrator.checkers.outcomes import mismatch, text
from orchestrator.checkers.verdict import ExpectationVerdict, Met
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Operation
from orchestrator.scenario.cell import Outcome as Expected

NOTHING = "nothing was there to be checked"


class Claim(NamedTuple):
    """What the scenario says of a level or a property: the key and what stands there, and the findings it is about."""

    key: str
    said: str
    findings: list[Finding]
    witness: Expected | None = None


def holds(claim: Claim, doubt: str) -> ExpectationVerdict:
    """A violation is one whatever `doubt` there is that the faults did what they were to do."""
    for finding in claim.findings:
        if finding.violations:
            operation, reason = finding.violations[0]
            by = f" ({finding.name})" if finding.name != claim.said else ""
            said = f"{claim.said} is violated{by}: {operation_name(operation)}: {reason}"
            return ExpectationVerdict(claim.key, Met.UNMET, said, operation)
    reason = _untried(claim, doubt)
    return ExpectationVerdict(claim.key, Met.INCONCLUSIVE if reason else Met.MET, reason)


def _untried(claim: Claim, doubt: str) -> str:
    failure = next((finding.failure for finding in claim.findings if finding.failure), "") or doubt
    if failure or any(finding.exercised for finding in claim.findings):
        return failure
    return NOTHING


def violated(setting: Views, claim: Claim, doubt: str) -> ExpectationVerdict:
    """Every violation has to be the expected one: of a bitten operation with the outcome that the scenario says, if
    any. The first is the witness."""
    reason = _untried(claim, doubt)
    if reason:
        return ExpectationVerdict(claim.key, Met.INCONCLUSIVE, reason)
    violations = [violation for finding in claim.findings for violation in finding.violations]
    if not violations:
        return ExpectationVerdict(claim.key, Met.UNMET, f"{claim.said} was to be violated, and holds")
    for operation, reason in violations:
        if operation in setting.bite.others:
            said = f"{operation_name(operation)} violates it, and no fault touched it: {reason}"
            return ExpectationVerdict(claim.key, Met.UNMET, said, operation)
    for operation, reason in violations:
        wrong = _not_the_witness(setting, claim.witness, operation)
        if wrong:
            said = f"violated by another witness: {operation_name(operation)}: {wrong}: {reason}"
            return ExpectationVerdict(claim.key, Met.UNMET, said, operation)
    first, reason = violations[0]
    return ExpectationVerdict(claim.key, Met.MET, f"{operation_name(first)}: {reason}", first)


def _not_the_witness(setting: Views, expected: Expected | None, operation: Operation) -> str:
    if operation not in setting.bite.bitten:
        return "it was not bitten"
    wrong = mismatch(setting.trace(operation), expected) if expected else ""
    return f"{wrong}; expected {text(expected)}" if wrong and expected else ""
