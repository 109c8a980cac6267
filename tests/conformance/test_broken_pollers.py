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
from orchestrator.commands.probe import catalogue, machine
from orchestrator.probes.chosen import why_lacking

ROWS = broken_pollers.stored()
pytestmark = pytest.mark.xdist_group("broken-pollers")


def lacking(row: Row) -> str | None:
    """Why the row cannot be tried here."""
    if why := engines.availability(row.engine):
        return f"engine {row.engine}: {why}"
    why = why_lacking(catalogue()[row.named], machine())
    return f"probe {row.named}: {why}" if why else None


HERE = [row for row in ROWS if lacking(row) is None]


@pytest.fixture(scope="module")
def convictions() -> dict[str, tuple[str, ...]]:
    """By all probes where all is asked for, else by those that have to convict."""
    return broken_pollers.run(
        {row.broken: broken_pollers.applicable(row.broken) if ALL else [row.named] for row in HERE}
    )


@pytest.fixture(params=ROWS, ids=[row.broken for row in ROWS])
def row(request: pytest.FixtureRequest) -> Row:
    found: Row = request.param
    if why := lacking(found):
        pytest.skip(why)
    return found


def test_the_named_probe_convicts_it(row: Row, convictions: dict[str, tuple[str, ...]]) -> None:
    assert row.named in convictions[row.broken]


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
