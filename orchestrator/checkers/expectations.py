"""PURE: a scenario's expectations, judged in the order of docs/semantics.md, "Verdicts and exit codes".

1. A violation where `holds` was expected is unmet, whether or not the fault bit.
2. A fault that did not bite, a property that was not exercised, a checker that failed: inconclusive.
3. An expected violation that is absent, or of which one was not bitten or has another outcome, is unmet.
4. Else it is met.

Implicit ones are judged always: `faults` (every fault bit, and timing did not disturb), `load` (every call that was to
meet the faults was invoked before heal); and of our own nodes `explained` (what happened to a call has its reason),
`valid`, `replies`, `reference`, and `staleness` where calls read. These four are expected to hold, except where
`convicted_by` asks them to convict a broken variant, or the scenario names them among its properties. *Staleness* is
not expected to hold where a ledger was archived: what is lost cannot be read, whatever the mechanism.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import get_args

from nodes.wire.record import Kind
from orchestrator.checkers import caps, expected_delivery, strained
from orchestrator.checkers.bites import idle
from orchestrator.checkers.bites.values import RuleBite
from orchestrator.checkers.claim import NOTHING, Claim, holds, violated
from orchestrator.checkers.finding import Finding, Findings
from orchestrator.checkers.names import operation_name
from orchestrator.checkers.outcomes import mismatch, text
from orchestrator.checkers.verdict import ExpectationVerdict, Met
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Operation
from orchestrator.scenario.cell import Convicting, Implicit
from orchestrator.scenario.cell import Outcome as Expected


def judge_all(setting: Views, findings: Findings) -> tuple[ExpectationVerdict, ...]:
    return tuple(_all(setting, findings))


def _all(setting: Views, findings: Findings) -> Iterator[ExpectationVerdict]:
    expect = setting.cell.expect
    doubt = _doubt(setting)
    yield ExpectationVerdict("faults", Met.INCONCLUSIVE if doubt else Met.MET, doubt)
    untried = caps.doubt(setting)
    yield ExpectationVerdict("load", Met.INCONCLUSIVE if untried else Met.MET, untried)
    if setting.cell.system is None:
        yield _explained(setting)
    if expect.bitten is not None:
        yield _bitten(setting, expect.bitten, doubt)
    if expect.others is not None:
        yield _others(setting, expect.others)
    if expect.seen:
        yield _seen(setting, doubt)
    if expect.strained:
        yield strained.judge(setting)
    if expect.delivery is not None:
        yield expected_delivery.judge(setting, findings, expect.delivery, doubt)
    for name, wanted in expect.properties.items():
        claim = Claim(name, name, [findings[name]])
        yield holds(claim, doubt) if wanted == "holds" else violated(setting, claim, doubt)
    if setting.cell.system is not None:
        return  # what is always expected of our own nodes
    for name in get_args(Convicting):
        if name not in findings or name in expect.properties:
            continue
        if name in expect.convicted_by:
            yield _convicts(findings[name])
        elif name in get_args(Implicit) and (name != "staleness" or not _archived(setting)):
            yield _implicit(findings[name])


def _archived(setting: Views) -> bool:
    """Whether a server was started again without what it had written."""
    return any(event.detail["archived"] for event in setting.index.of_kind(Kind.LEDGER))


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


def _explained(setting: Views) -> ExpectationVerdict:
    """Nothing happened to a call that neither a fault, an outage nor a wait explains."""
    for operation, reason in sorted(setting.bite.unexplained.items()):
        more = len(setting.bite.unexplained) - 1
        said = f"{operation_name(operation)}: {reason}, and nothing explains it" + (
            f"; and {more} more" if more else ""
        )
        return ExpectationVerdict("explained", Met.UNMET, said, operation)
    if setting.failed:
        return ExpectationVerdict("explained", Met.INCONCLUSIVE, _failure(setting))
    return ExpectationVerdict("explained", Met.MET)


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
    last = sorted(setting.bite.others, key=lambda operation: operation[1], reverse=True)
    invokes = (setting.trace(operation).invoke for operation in last)
    if healed is None or not any(invoke and invoke.order > healed for invoke in invokes):
        return ExpectationVerdict("others", Met.INCONCLUSIVE, "no other operation was invoked after heal")
    return verdict


def _outcomes(name: str, setting: Views, operations: Collection[Operation], expected: Expected) -> ExpectationVerdict:
    if not any(mismatch(like, expected) for like in setting.like_even if like.operation in operations):
        operations = setting.odd.keys() & operations
    for operation in sorted(operations):
        seen = mismatch(setting.trace(operation), expected)
        if seen:
            reason = f"{operation_name(operation)}: {seen}; expected {text(expected)}"
            return ExpectationVerdict(name, Met.UNMET, reason, operation)
    return ExpectationVerdict(name, Met.MET)


def _seen(setting: Views, doubt: str) -> ExpectationVerdict:
    """Every bitten operation made each of the opportunities; what was not offered was not tried."""
    if doubt or not setting.bite.bitten:
        return ExpectationVerdict("seen", Met.INCONCLUSIVE, doubt or "no operation was bitten")
    for opportunity in setting.cell.expect.seen:
        lacking = sorted(setting.bite.bitten - setting.offered.get(opportunity, frozenset()))
        if lacking:
            reason = f"{operation_name(lacking[0])} was bitten and did not offer {opportunity}"
            return ExpectationVerdict("seen", Met.INCONCLUSIVE, reason, lacking[0])
    return ExpectationVerdict("seen", Met.MET)


def _implicit(finding: Finding) -> ExpectationVerdict:
    if finding.failure:
        return ExpectationVerdict(finding.name, Met.INCONCLUSIVE, finding.failure)
    if finding.violations:
        operation, reason = finding.violations[0]
        return ExpectationVerdict(finding.name, Met.UNMET, f"{operation_name(operation)}: {reason}", operation)
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
    return ExpectationVerdict(finding.name, Met.MET, f"{operation_name(operation)}: {reason}", operation)
