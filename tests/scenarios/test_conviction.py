"""The explorer convicts broken variants, untold of the fault, and shows it small: a share of `make convictions`."""

from __future__ import annotations

import pytest
from conviction import convicted
from requirements import ALL

from orchestrator.explore.attempt import RUN, attempt
from orchestrator.scenario.cell import Variant

SEED = 1
RUNS = 64
"""Within which each of these variants is convicted."""
SOON: tuple[Variant, ...] = (
    "answer-of-another-client",
    "argument-changed",
    "forgets-too-early",
    "high-water-filter",
    "join-answers-newest",
    "newest-answer-only",
    "no-duplicate-filter",
    "no-join",
    "unknown-as-fail",
)


@pytest.mark.parametrize("variant", SOON if ALL else SOON[::2])
def test_a_variant_is_convicted_and_shown_with_three_faults_and_four_calls(variant: Variant) -> None:
    found = convicted(variant, SEED, RUNS)
    assert found is not None
    assert found.find.surprise.checks[0] != RUN
    assert found.size.small, found.size
    again = attempt(found.cell).surprise
    assert again is not None
    assert found.find.surprise.checks[0] in again.checks
