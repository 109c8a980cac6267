"""PURE: what a checker is: a file of `properties/`, of the property's name, that judges one property of a run.

Rules of this file:

1. A checker is asked where the run shows all that it needs, and where the scenario names its property.
2. One that crashes knows nothing, and stops nobody; the evidence gate tells of it.
3. A violation is one whatever else failed; that a property holds cannot be known where a view that it needs failed.
"""

from __future__ import annotations

from typing import Protocol

from orchestrator.checkers.finding import Finding
from orchestrator.checkers.views import View, Views


class Checker(Protocol):
    """`needs`: what a run has to show, beside calls and effects, for the property to be looked at."""

    name: str
    needs: frozenset[View]

    def check(self, setting: Views) -> Finding:
        """A finding of that name: the violations, and how many steps were really checked. May raise: rule 2."""


def asked(checker: Checker, setting: Views) -> bool:
    return checker.needs <= setting.shown or checker.name in setting.cell.expect.properties


def finding(checker: Checker, setting: Views) -> Finding:
    """What the checker finds; that nothing was exercised, where the run does not show what it needs."""
    nothing = Finding(checker.name, (), {})
    if not checker.needs <= setting.shown:
        return nothing
    found, crash = setting.guard(lambda: checker.check(setting), nothing)
    if crash or found.violations:
        return found._replace(failure=crash)
    return found._replace(failure="; ".join(why for view, why in setting.failed.items() if view in checker.needs))
