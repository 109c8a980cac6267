"""PURE: a scenario's expectations, judged in the order of docs/semantics.md, "Verdicts and exit codes".

1. A violation where `holds` was expected is unmet, whether or not the fault bit.
2. A fault that did not bite, a property that was not exercised, a checker that failed: inconclusive.
3. An expected violation that is absent, or whose witness was not bitten or has another outcome, is unmet.
4. Else it is met.

Implicit ones are judged always: `faults` (every fault bit, and timing did not disturb), `load` (every call that was to
meet the faults was invoked before heal), `replies`, `reference`. The latter two are expected to hold, except where
`convicted_by` asks them to convict a broken variant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, get_args

from orchestrator.checkers import caps
from orchestrator.checkers.bites import idle
from orchestrator.checkers.bites.steps import verb
from orchestrator.checkers.bites.values import Bite, RuleBite
from orchestrator.checkers.delivery import LEVELS
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.outcomes import mismatch, text
from orchestrator.checkers.setting import Setting
from orchestrator.checkers.verdict import ExpectationVerdict, Met
from orchestrator.history.merged import Operation
from orchestrator.scenario.cell import Delivery, Implicit
from orchestrator.scenario.cell import Outcome as Expected


class Found(NamedTuple):
    """What the checkers found. `failure` says why bites or opportunities are not known, "" if they are."""

    bite: Bite
    offered: dict[str, frozenset[Operation]]
    findings: dict[str, Finding]
    failure: str


def judge_all(setting: Setting, found: Found) -> tuple[ExpectationVerdict, ...]:
    return tuple(_all(setting, found))


def _all(setting: Setting, found: Found) -> Iterator[ExpectationVerdict]:
    expect = setting.cell.expect
    doubt = _doubt(setting, found)
    yield ExpectationVerdict("faults", Met.INCONCLUSIVE if doubt else Met.MET, doubt)
    untried = caps.doubt(setting)
    yield ExpectationVerdict("load", Met.INCONCLUSIVE if untried else Met.MET, untried)
    if expect.bitten is not None:
        yield _bitten(setting, found, expect.bitten, doubt)
    if expect.others is not None:
        yield _others(setting, found, expect.others)
    if expect.seen:
        yield _seen(setting, found, doubt)
    if expect.delivery is not None:
        holds = expect.delivery.holds is not None
        yield (_holds if holds else _violated)(setting, found, expect.delivery, doubt)
    for name in get_args(Implicit):
        if name not in found.findings:  # nothing is known of the replies of a system that is not ours
            continue
        yield (_convicts if name in expect.convicted_by else _implicit)(found.findings[name])


def _doubt(setting: Setting, found: Found) -> str:
    """Why the faults cannot be said to have done what they were to do, "" if they have."""
    if found.failure:
        return found.failure
    if found.bite.idle:
        return "; ".join(_idle(setting, rule) for rule in found.bite.rules if not rule.bitten)
    if found.bite.too_late:
        return f"{len(found.bite.late)} operations were late with nothing done to them, more than a tenth"
    return ""


def _idle(setting: Setting, rule: RuleBite) -> str:
    said = f"fault {rule.rule + 1} ({verb(setting.cell.faults[rule.rule])}) did not bite"
    return f"{said}: {idle.reason(setting, rule)}"


def _bitten(setting: Setting, found: Found, expected: Expected, doubt: str) -> ExpectationVerdict:
    """Every bitten operation has the outcome. Where another fault did not bite, none can be expected to."""
    if doubt or not found.bite.bitten:
        return ExpectationVerdict("bitten", Met.INCONCLUSIVE, doubt or "no operation was bitten")
    return _outcomes("bitten", setting, found.bite.bitten, expected)


def _others(setting: Setting, found: Found, expected: Expected) -> ExpectationVerdict:
    """Every other operation has the outcome, and at least one was invoked after heal."""
    verdict = _outcomes("others", setting, found.bite.others, expected)
    if verdict.verdict is Met.UNMET:
        return verdict
    if found.failure:
        return ExpectationVerdict("others", Met.INCONCLUSIVE, found.failure)
    healed = setting.index.healed
    invokes = (setting.index.traces[operation].invoke for operation in found.bite.others)
    if healed is None or not any(invoke and invoke.order > healed for invoke in invokes):
        return ExpectationVerdict("others", Met.INCONCLUSIVE, "no other operation was invoked after heal")
    return verdict


def _outcomes(name: str, setting: Setting, operations: Iterable[Operation], expected: Expected) -> ExpectationVerdict:
    for operation in sorted(operations):
        seen = mismatch(setting.index.traces[operation], expected)
        if seen:
            reason = f"{_name(operation)}: {seen}; expected {text(expected)}"
            return ExpectationVerdict(name, Met.UNMET, reason, operation)
    return ExpectationVerdict(name, Met.MET)


def _seen(setting: Setting, found: Found, doubt: str) -> ExpectationVerdict:
    """Every bitten operation made each of the opportunities; what was not offered was not tried."""
    if doubt or not found.bite.bitten:
        return ExpectationVerdict("seen", Met.INCONCLUSIVE, doubt or "no operation was bitten")
    for opportunity in setting.cell.expect.seen:
        lacking = sorted(found.bite.bitten - found.offered.get(opportunity, frozenset()))
        if lacking:
            reason = f"{_name(lacking[0])} was bitten and did not offer {opportunity}"
            return ExpectationVerdict("seen", Met.INCONCLUSIVE, reason, lacking[0])
    return ExpectationVerdict("seen", Met.MET)


def _holds(setting: Setting, found: Found, delivery: Delivery, doubt: str) -> ExpectationVerdict:
    assert delivery.holds is not None
    findings = [found.findings[name] for name in LEVELS[delivery.holds]]
    for finding in findings:
        if finding.violations:
            operation, reason = finding.violations[0]
            said = f"{delivery.holds} is violated ({finding.name}): {_name(operation)}: {reason}"
            return ExpectationVerdict("delivery", Met.UNMET, said, operation)
    return ExpectationVerdict("delivery", *_tried(findings, doubt))


def _tried(findings: list[Finding], doubt: str) -> tuple[Met, str]:
    failure = next((finding.failure for finding in findings if finding.failure), "") or doubt
    if failure:
        return Met.INCONCLUSIVE, failure
    if not any(finding.exercised for finding in findings):
        return Met.INCONCLUSIVE, "none of its properties was exercised"
    return Met.MET, ""


def _violated(setting: Setting, found: Found, delivery: Delivery, doubt: str) -> ExpectationVerdict:
    assert delivery.violated is not None
    findings = [found.findings[name] for name in LEVELS[delivery.violated]]
    met, reason = _tried(findings, doubt)
    if met is not Met.MET:
        return ExpectationVerdict("delivery", met, reason)
    violations = [violation for finding in findings for violation in finding.violations]
    if not violations:
        return ExpectationVerdict("delivery", Met.UNMET, f"{delivery.violated} was to be violated, and holds")
    stray = next((each for each in violations if each.operation in found.bite.others), None)
    if stray is not None:
        reason = f"{_name(stray.operation)} violates it, and no fault touched it: {stray.reason}"
        return ExpectationVerdict("delivery", Met.UNMET, reason, stray.operation)
    return _witnessed(setting, found, delivery, violations)


def _witnessed(setting: Setting, found: Found, delivery: Delivery, violations: list[Violation]) -> ExpectationVerdict:
    """The expected violation needs one bitten operation that has the outcome which the scenario says."""
    seen = []
    for operation, reason in violations:
        wrong = _not_the_witness(setting, found, delivery.witness, operation)
        if not wrong:
            return ExpectationVerdict("delivery", Met.MET, f"{_name(operation)}: {reason}", operation)
        seen.append(f"{_name(operation)}: {wrong}")
    first = violations[0].operation
    return ExpectationVerdict("delivery", Met.UNMET, f"violated by another witness: {'; '.join(seen[:3])}", first)


def _not_the_witness(setting: Setting, found: Found, expected: Expected | None, operation: Operation) -> str:
    if operation not in found.bite.bitten:
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
        return ExpectationVerdict(finding.name, Met.INCONCLUSIVE, "nothing was there to be checked")
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
