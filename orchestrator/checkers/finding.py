"""PURE: what one checker found, before it is a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from orchestrator.checkers.verdict import PropertyVerdict, Verdict
from orchestrator.history.merged import Operation


class Violation(NamedTuple):
    """One operation that refutes a property, and how."""

    operation: Operation
    reason: str


class Finding(NamedTuple):
    """A property's violations, and what it rests on: it was exercised if any of `counts` is above 0."""

    name: str
    violations: tuple[Violation, ...]
    counts: dict[str, int]
    failure: str = ""

    @property
    def exercised(self) -> bool:
        return any(self.counts.values())


Findings = Mapping[str, Finding]
"""By the property's name: of the checkers that were asked."""


def verdict(finding: Finding) -> PropertyVerdict:
    """Refuted by its first violation; a checker that failed knows nothing."""
    if finding.failure:
        return PropertyVerdict(finding.name, Verdict.UNKNOWN, finding.counts, None, finding.failure)
    if finding.violations:
        first = finding.violations[0]
        return PropertyVerdict(finding.name, Verdict.VIOLATED, finding.counts, first.operation, first.reason)
    held = Verdict.HOLDS if finding.exercised else Verdict.NOT_EXERCISED
    return PropertyVerdict(finding.name, held, finding.counts)
