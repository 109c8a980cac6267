"""Pollers that are wrong on purpose: each is convicted by the probe of its row, as the stored matrix has it."""

from __future__ import annotations

import broken_pollers
import pytest
from broken_pollers import Row
from requirements import ALL

from nodes import engines, probes
from nodes.probes.common.broken import BROKEN
from nodes.probes.common.kinds import kind
from nodes.probes.common.probe import Kind
from orchestrator.commands.probe import catalogue

ROWS = broken_pollers.stored()
pytestmark = pytest.mark.xdist_group("broken-pollers")

missing = [f"engine {name}: {why}" for name in {row.engine for row in ROWS} if (why := engines.availability(name))]
here = pytest.mark.skipif(bool(missing), reason="; ".join(missing))


@pytest.fixture(scope="module")
def convictions() -> dict[str, tuple[str, ...]]:
    """By all probes where all is asked for, else by those that have to convict."""
    return broken_pollers.run(
        {row.broken: broken_pollers.applicable(row.broken) if ALL else [row.named] for row in ROWS}
    )


@here
@pytest.mark.parametrize("row", ROWS, ids=[row.broken for row in ROWS])
def test_the_named_probe_convicts_it(row: Row, convictions: dict[str, tuple[str, ...]]) -> None:
    assert row.named in convictions[row.broken]


@here
@pytest.mark.parametrize("row", ROWS, ids=[row.broken for row in ROWS])
def test_the_stored_matrix_is_what_was_observed(row: Row, convictions: dict[str, tuple[str, ...]]) -> None:
    observed = tuple(name for name in row.convicted_by if ALL or name == row.named)
    assert convictions[row.broken] == observed, "stale: make probe-matrix"


def test_the_stored_matrix_is_of_the_broken_pollers() -> None:
    assert {row.broken: (row.engine, row.named) for row in ROWS} == {
        name: (broken.engine, broken.probe) for name, broken in BROKEN.items()
    }
    assert broken_pollers.text(ROWS) == broken_pollers.MATRIX.read_text(), "stale: make probe-matrix"


def test_every_starred_row_of_pollers_has_a_broken_one() -> None:
    starred = {
        name
        for name, probe in catalogue().items()
        if probe.starred and any(kind(e) is Kind.READINESS and not probes.refusal(name, e) for e in engines.NAMES)
    }
    assert starred == {broken.probe for broken in BROKEN.values()}
