"""PURE: what was observed against what is expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from orchestrator.probes.expectations import Expected, Texts
from orchestrator.report.result import Exit

Seen = str | bool | int | list[str]
"""What a process of probes says that a step showed (nodes/probes/common/probe.py)."""
NOTHING = "nothing"
"""A wait that told nothing."""
ABSENT = "-"
"""A step that only one of the two has."""


class Verdict(Enum):
    AS_EXPECTED = "as expected"
    DEVIATES = "deviates"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"


class Outcome(NamedTuple):
    """What became of one probe on one engine. Without an observation, `failed` says why there is none."""

    observed: Mapping[str, Seen] | None
    failed: str = ""
    trace: tuple[str, ...] = ()


class Cell(NamedTuple):
    """One probe on one engine. `why`: the verdict is unknown, or the probe not applicable; else empty."""

    probe: str
    engine: str
    verdict: Verdict
    observed: Texts | None = None
    expected: Texts | None = None
    source: str = ""
    why: str = ""
    trace: tuple[str, ...] = ()

    @property
    def differences(self) -> Iterator[tuple[str, str, str]]:
        """(step, observed, expected) wherever the two are not the same."""
        if self.observed is None or self.expected is None:
            return
        for step in dict.fromkeys([*self.observed, *self.expected]):
            pair = self.observed.get(step, ABSENT), self.expected.get(step, ABSENT)
            if pair[0] != pair[1]:
                yield step, *pair


def text(seen: Seen) -> str:
    """In the words of the table."""
    match seen:
        case bool():
            return "yes" if seen else "no"
        case list():
            return " ".join(seen) or NOTHING
        case _:
            return str(seen)


def judged(probe: str, engine: str, outcome: Outcome, expected: Expected | None) -> Cell:
    source = expected.source if expected is not None else ""
    steps = expected.steps if expected is not None else None
    if outcome.observed is None:
        return Cell(probe, engine, Verdict.UNKNOWN, None, steps, source, outcome.failed, outcome.trace)
    observed = {step: text(seen) for step, seen in outcome.observed.items()}
    if steps is None:
        why = "nobody has said what to expect" if expected is None else f"nobody knows what to expect: {source}"
        return Cell(probe, engine, Verdict.UNKNOWN, observed, None, source, why, outcome.trace)
    verdict = Verdict.AS_EXPECTED if observed == dict(steps) else Verdict.DEVIATES
    return Cell(probe, engine, verdict, observed, steps, source, "", outcome.trace)


def not_applicable(probe: str, engine: str, why: str) -> Cell:
    return Cell(probe, engine, Verdict.NOT_APPLICABLE, why=why)


def unknown(probe: str, engine: str, why: str) -> Cell:
    """It was not tried."""
    return Cell(probe, engine, Verdict.UNKNOWN, why=why)


def exit_code(cells: Iterable[Cell]) -> Exit:
    """A deviation outranks what is unknown, which outranks what is as expected."""
    verdicts = {cell.verdict for cell in cells}
    if Verdict.DEVIATES in verdicts:
        return Exit.UNMET
    return Exit.INCONCLUSIVE if Verdict.UNKNOWN in verdicts else Exit.MET
