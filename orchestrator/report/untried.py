"""PURE: what scenarios name as untried: what of it was, and what was exercised all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from orchestrator.checkers.verdict import Untried
from orchestrator.report.result import CellResult

Named = tuple[str, tuple[Untried, ...]]
"""A cell's scenario, and what it says of one property under each of its models."""


def untried(results: Sequence[CellResult]) -> tuple[str, ...]:
    """One line for a scenario, property and model: "01-request-lost (12 cells): once under loss"."""
    return _lines(
        (scenario, f"{one.property} under {one.model}")
        for scenario, named in _named(results)
        for one in named
        if not one.exercised
    )


def needless(results: Sequence[CellResult]) -> tuple[str, ...]:
    """Of what was exercised under every model of its cell: there is no need to name it."""
    found = _named(results)
    return _lines((scenario, named[0].property) for scenario, named in found if all(one.exercised for one in named))


def _named(results: Iterable[CellResult]) -> Iterator[Named]:
    for result in results:
        found = result.judgement.untried if result.judgement is not None else ()
        for name in dict.fromkeys(one.property for one in found):
            yield result.cell.scenario, tuple(one for one in found if one.property == name)


def _lines(told: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    counted = Counter(told)
    return tuple(f"{name} ({count} cell{'s' * (count > 1)}): {text}" for (name, text), count in counted.items())
