"""The negative controls: every broken variant is convicted by the check that is named, on real processes and in sim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import kill_matrix
import pytest
import server_matrix
import suite
from kill_matrix import CHECKS, Control, Row
from suite import Ran

from nodes.sockets.variants import VARIANTS
from orchestrator.checkers.properties import CHECKERS
from orchestrator.report.result import Exit
from orchestrator.scenario.cell import Variant

ROWS = kill_matrix.stored()
BACKENDS = [pytest.param(name, marks=pytest.mark.xdist_group(f"kill-matrix-{name}")) for name in ("sim", "local")]


@pytest.fixture(scope="module")
def sim() -> dict[str, Control]:
    return kill_matrix.run("sim")


@pytest.fixture(scope="module")
def local() -> dict[str, Control]:
    return kill_matrix.run("local")


@pytest.fixture
def controls(request: pytest.FixtureRequest, backend: str) -> dict[str, Control]:
    """Run once for all that is asked of them: a fixture for each backend, as parameters of one would be made again
    and again for the order in which they come."""
    found: dict[str, Control] = request.getfixturevalue(backend)
    return found


@pytest.fixture
def control(controls: dict[str, Control], row: Row) -> Control:
    return controls[row.scenario]


each_row = pytest.mark.parametrize(
    ("backend", "row"),
    [
        pytest.param(*backend.values, row, marks=backend.marks, id=f"{backend.values[0]}-{row.scenario}")
        for backend in BACKENDS
        for row in ROWS
    ],
)


@each_row
def test_the_named_check_convicts_the_mutant(control: Control, row: Row) -> None:
    assert row.named in kill_matrix.convictions(control.mutant_with.history, control.correct_with.result.cell)


@each_row
def test_the_mutant_passes_with_the_fault_off(control: Control, row: Row) -> None:
    found = kill_matrix.convictions(control.mutant_without.history, control.correct_without.result.cell)
    # What the server forgets is in its journal, whether or not a repeat comes that needed it.
    assert set(found) == ({"reference"} if row.mutant == "forgets-too-early" else set())


@each_row
def test_the_correct_mechanism_passes_under_the_same_decisions(control: Control, row: Row) -> None:
    for correct in (control.correct_without, control.correct_with):
        assert kill_matrix.convictions(correct.history, correct.result.cell) == ()
        assert correct.result.exit_code is Exit.MET
    correct, mutant = (dict(_decided(ran)) for ran in (control.correct_with, control.mutant_with))
    # What a mutant answers, a correct mechanism may leave unanswered, and the other way round.
    assert {message for message in correct.keys() ^ mutant.keys() if message[-2] != "reply"} == set()
    assert {message for message in correct.keys() & mutant.keys() if correct[message] != mutant[message]} == set()
    assert correct


def _decided(ran: Ran) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Each operation's first attempt, by direction and occurrence, and what was decided about it."""
    for *message, rule, act in suite.first_decisions(ran.history):
        yield tuple(message), (rule, act)


@each_row
def test_the_mutant_does_what_its_scenario_says(control: Control, row: Row) -> None:
    """Its witness has the outcome that the scenario names, and `convicted_by` is met."""
    for mutant in (control.mutant_without, control.mutant_with):
        judgement = mutant.result.judgement
        assert mutant.result.exit_code is Exit.MET, judgement and judgement.expectations


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_stored_matrix_is_what_was_observed(backend: str, controls: dict[str, Control]) -> None:
    rows = kill_matrix.computed(controls, {row.scenario: row.named for row in ROWS})
    assert kill_matrix.matrix_text(rows) == kill_matrix.matrix_text(ROWS), "stale: make kill-matrix"


def test_the_stored_matrix_is_written_as_it_would_be() -> None:
    assert kill_matrix.matrix_text(ROWS) == kill_matrix.MATRIX.read_text(), "stale: make kill-matrix"


def test_the_page_has_the_stored_matrix() -> None:
    abouts = {plan.scenario: plan.about for plan in kill_matrix.shipped()}
    assert kill_matrix.page(ROWS, abouts) == kill_matrix.PAGE.read_text(), "stale: make kill-matrix"


def test_every_variant_is_convicted() -> None:
    assert {row.mutant for row in ROWS} == {*get_args(Variant), *VARIANTS}
    assert all(row.convicted_by for row in ROWS)


def test_every_scenario_has_a_row_and_differs_in_the_variant_alone() -> None:
    plans = {plan.scenario: plan for plan in kill_matrix.shipped()}
    assert set(plans) == {row.scenario for row in ROWS}
    for plan in plans.values():
        assert len(plan.cells) == 4
        for fault in {cell.axes["fault"] for cell in plan.cells}:
            correct, mutant = (cell for cell in plan.cells if cell.axes["fault"] == fault)
            assert correct.links[0] == mutant.links[0].model_copy(update={"variant": None})
            assert (correct.seed, correct.faults) == (mutant.seed, mutant.faults)
            assert correct.nodes == mutant.nodes


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_checker_convicts_somebody(checker: str) -> None:
    """A mechanism, or a server that is wrong."""
    of_servers = {check for found in server_matrix.stored().values() for checks in found.values() for check in checks}
    assert any(checker in row.convicted_by for row in ROWS) or checker in of_servers


def test_the_named_checks_are_checks() -> None:
    assert {row.named for row in ROWS} <= set(CHECKS)
