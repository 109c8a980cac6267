from __future__ import annotations

import pytest
from sample_results import cell, judgement, result

from orchestrator.checkers.verdict import Met, Outcome
from orchestrator.report.result import CellResult, Exit, exit_code

MET = result(cell())
UNMET = result(cell(), judgement(Outcome("ok", 2), verdict=Met.UNMET))
INCONCLUSIVE = result(cell(), judgement(verdict=Met.INCONCLUSIVE))
TESTBED = result(cell(), error="server would not start")
INTERRUPTED = result(cell(), interrupted=True)


@pytest.mark.parametrize(("one", "code"), [(MET, 0), (UNMET, 1), (INCONCLUSIVE, 2), (TESTBED, 3), (INTERRUPTED, 130)])
def test_a_cell(one: CellResult, code: int) -> None:
    assert one.exit_code == code


def test_evidence_that_cannot_be_trusted_voids_the_verdicts() -> None:
    found = result(cell(), judgement(Outcome("ok", 2), verdict=Met.UNMET, gate=("a gap in n",)))
    assert found.exit_code is Exit.TESTBED
    assert found.problem == "evidence: a gap in n"


@pytest.mark.parametrize(
    ("several", "code"),
    [
        ([], 0),
        ([MET, INCONCLUSIVE], 2),
        ([MET, INCONCLUSIVE, TESTBED], 3),
        ([TESTBED, UNMET, INCONCLUSIVE], 1),
        ([UNMET, INTERRUPTED], 130),
    ],
)
def test_across_cells_1_outranks_3_outranks_2(several: list[CellResult], code: int) -> None:
    assert exit_code(several) == code
