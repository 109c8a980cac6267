"""PURE: a scenario's expectations, judged in the order of docs/semantics.md, "Verdicts and exit codes".

1. A violation where `holds` was expected is unmet, whether or not the fault bit.
2. A fault that did not bite, a property that was not exercised, a checker that failed: inconclusive.
3. An expected violation that is absent, or whose witness was not bitten or has another outcome, is unmet.
4. Else it is met.

Implicit ones are judged always: `faults` (every fault bit, and timing did not disturb), `load` (every call that was to
meet the faults was invoked before heal); and of our own nodes `valid`, `replies`, `reference`, and `staleness` where
calls read. These are expected to hold, except where `convicted_by` asks them to convict a broken variant, or the
scenario names them among its properties.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, get_args

from orchestrator.checkers import caps
from orchestrator.checkers.bites import idle
from orchestrator.checkers.bites.values import RuleBite
from orchestrator.checkers.delivery import LEVELS
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.outcomes import mismatch, text
from orchestrator.checkers.verdict import ExpectationVerdict, Met
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Operation
from orchestrator.scenario.cell import Delivery, Implicit
from orchestrator.scenario.cell import Outcome as Expected

NOTHING = "nothing was there to be checked"

Findings = Mapping[str, Finding]
"""By the property's name: of the checkers that were asked."""


class Claim(NamedTuple):
    """What the scenario says of a level or a property: the key and what stands there, and the findings it is about."""

    key: str
    said: str
    findings: list[Finding]
    witness: Expected | None = None


def judge_all(setting: Views, findings: Findings) -> tuple[ExpectationVerdict, ...]:
    return tuple(_all(setting, findings))


def _all(setting: Views, findings: Findings) -> Iterator[ExpectationVerdict]:
    expect = setting.cell.expect
    doubt = _doubt(setting)
    yield ExpectationVerdict("faults", Met.INCONCLUSIVE if doubt else Met.MET, doubt)
    untried = caps.doubt(setting)
    yield ExpectationVerdict("load", Met.INCONCLUSIVE if untried else Met.MET, untried)
    if expect.bitten is not None:
        yield _bitten(setting, expect.bitten, doubt)
    if expect.others is not None:
        yield _others(setting, expect.others)
    if expect.seen:
        yield _seen(setting, doubt)
    if expect.delivery is not None:
        yield _delivery(setting, findings, expect.delivery, doubt)
    for name, wanted in expect.properties.items():
        claim = Claim(name, name, [findings[name]])
        yield (_holds if wanted == "holds" else _violated)(setting, claim, doubt)
    if setting.cell.system is not None:
        return  # what is always expected of our own nodes
    for name in get_args(Implicit):
        if name not in findings or name in expect.properties:
            continue
        yield (_convicts if name in expect.convicted_by else _implicit)(findings[name])


def _doubt(setting: Views) -> str:
    """Why the faults cannot be said to have done what they were to do, "" if they have."""
    if setting.failed:
        return _failure(setting)
    if setting.bite.idle:
        return "; ".join(_idle(setting, rule) for rule in setting.bite.rules if not rule.bitten)
    if setting.bite.too_late:
        return f"{len(setting.bite.late)} operations were late with nothing done to them, more than a tenth"
    return ""


def _failure(setting: Views) -> str:
    return "; ".join(setting.failed.values())


def _idle(setting: Views, rule: RuleBite) -> str:
    said = f"fault {rule.rule + 1} ({setting.cell.faults[rule.rule].verb}) did not bite"
    return f"{said}: {idle.reason(setting, rule)}"


def _bitten(setting: Views, expected: Expected, doubt: str) -> ExpectationVerdict:
    """Every bitten operation has the outcome. Where another fault did not bite, none can be expected to."""
    if doubt or not setting.bite.bitten:
        return ExpectationVerdict("bitten", Met.INCONCLUSIVE, doubt or "no operation was bitten")
    return _outcomes("bitten", setting, setting.bite.bitten, expected)


def _others(setting: Views, expected: Expected) -> ExpectationVerdict:
    """Every other operation has the outcome, and at least one was invoked after heal."""
    verdict = _outcomes("others", setting, setting.bite.others, expected)
    if verdict.verdict is Met.UNMET:
        return verdict
    if setting.failed:
        return ExpectationVerdict("others", Met.INCONCLUSIVE, _failure(setting))
    healed = setting.index.healed
    invokes = (setting.index.traces[operation].invoke for operation in setting.bite.others)
    if healed is None or not any(invoke and invoke.order > healed for invoke in invokes):
        return ExpectationVerdict("others", Met.INCONCLUSIVE, "no other operation was invoked after heal")
    return verdict


def _outcomes(name: str, setting: Views, operations: Iterable[Operation], expected: Expected) -> ExpectationVerdict:
    for operation in sorted(operations):
        seen = mismatch(setting.index.traces[operation], expected)
        if seen:
            reason = f"{_name(operation)}: {seen}; expected {text(expected)}"
            return ExpectationVerdict(name, Met.UNMET, reason, operation)
    return ExpectationVerdict(name, Met.MET)


def _seen(setting: Views, doubt: str) -> ExpectationVerdict:
    """Every bitten operation made each of the opportunities; what was not offered was not tried."""
    if doubt or not setting.bite.bitten:
        return ExpectationVerdict("seen", Met.INCONCLUSIVE, doubt or "no operation was bitten")
    for opportunity in setting.cell.expect.seen:
        lacking = sorted(setting.bite.bitten - setting.offered.get(opportunity, frozenset()))
        if lacking:
            reason = f"{_name(lacking[0])} was bitten and did not offer {opportunity}"
            return ExpectationVerdict("seen", Met.INCONCLUSIVE, reason, lacking[0])
    return ExpectationVerdict("seen", Met.MET)


def _delivery(setting: Views, findings: Findings, delivery: Delivery, doubt: str) -> ExpectationVerdict:
    level = delivery.holds or delivery.violated
    assert level is not None
    claim = Claim("delivery", level, [findings[name] for name in LEVELS[level]], delivery.witness)
    return (_holds if delivery.holds else _violated)(setting, claim, doubt)


def _holds(setting: Views, claim: Claim, doubt: str) -> ExpectationVerdict:
    for finding in claim.findings:
        if finding.violations:
            operation, reason = finding.violations[0]
            by = f" ({finding.name})" if finding.name != claim.said else ""
            said = f"{claim.said} is violated{by}: {_name(operation)}: {reason}"
            return ExpectationVerdict(claim.key, Met.UNMET, said, operation)
    return ExpectationVerdict(claim.key, *_tried(setting, claim, doubt))


def _tried(setting: Views, claim: Claim, doubt: str) -> tuple[Met, str]:
    failure = next((finding.failure for finding in claim.findings if finding.failure), "") or doubt
    if failure:
        return Met.INCONCLUSIVE, failure
    if not _exercised(setting, claim):
        return Met.INCONCLUSIVE, "none of its properties was exercised" if claim.key == "delivery" else NOTHING
    return Met.MET, ""


def _exercised(setting: Views, claim: Claim) -> bool:
    """Every call tries *valid*; a level's, one that was bitten."""
    if claim.key != "delivery":
        return any(finding.exercised for finding in claim.findings)
    return bool(setting.bite.bitten) or any(found.exercised for found in claim.findings if found.name != "valid")


def _violated(setting: Views, claim: Claim, doubt: str) -> ExpectationVerdict:
    met, reason = _tried(setting, claim, doubt)
    if met is not Met.MET:
        return ExpectationVerdict(claim.key, met, reason)
    violations = [violation for finding in claim.findings for violation in finding.violations]
    if not violations:
        return ExpectationVerdict(claim.key, Met.UNMET, f"{claim.said} was to be violated, and holds")
    stray = next((each for each in violations if each.operation in setting.bite.others), None)
    if stray is not None:
        reason = f"{_name(stray.operation)} violates it, and no fault touched it: {stray.reason}"
        return ExpectationVerdict(claim.key, Met.UNMET, reason, stray.operation)
    return _witnessed(setting, claim, violations)


def _witnessed(setting: Views, claim: Claim, violations: list[Violation]) -> ExpectationVerdict:
    """The expected violation needs one bitten operation, which has the outcome that the scenario says, if any."""
    seen = []
    for operation, reason in violations:
        wrong = _not_the_witness(setting, claim.witness, operation)
        if not wrong:
            return ExpectationVerdict(claim.key, Met.MET, f"{_name(operation)}: {reason}", operation)
        seen.append(f"{_name(operation)}: {wrong}")
    first = violations[0].operation
    return ExpectationVerdict(claim.key, Met.UNMET, f"violated by another witness: {'; '.join(seen[:3])}", first)


def _not_the_witness(setting: Views, expected: Expected | None, operation: Operation) -> str:
    if operation not in setting.bite.bitten:
        return "it was not bitten"
    wrong = mismatch(setting.index.traces[operation], expected) if expected else ""
    return f"{wrong}; expected {text(expected)}" if wrong and expected else ""


def _implicit(finding: Finding) -> ExpectationVerdict:
    if finding.failure:
        return ExpectationVerdict(finding.name, Met.INCONCLUSIVE, finding.failure)
    if finding.violations:
        operation, reason = finding.violations[0]
        return ExpectationVerdict(finding.name, Met.UNMET, f"{_name(operation)}: {reason}", operation)
    if not finding.exercised:
        return ExpectationVerdict(finding.name, Met.INCONCLUSIVE, NOTHING)
    return ExpectationVerdict(finding.name, Met.MET)


def _convicts(finding: Finding) -> ExpectationVerdict:
    """A negative control: a violation is what was asked for, and the absence of one is the checker's failure."""
    if finding.failure or not finding.exercised:
        return _implicit(finding)
    if not finding.violations:
        return ExpectationVerdict(finding.name, Met.UNMET, f"{finding.name} was to find a violation, and found none")
    operation, reason = finding.violations[0]
    return ExpectationVerdict(finding.name, Met.MET, f"{_name(operation)}: {reason}", operation)


def _name(operation: Operation) -> str:
    client, seq = operation
    return f"operation {seq} of client {client}"
