"""The same programs on every real engine, over kept and over new connections, yield the same verdicts."""

from __future__ import annotations

import pytest
import suite

from nodes import engines
from orchestrator.checkers.verdict import Verdict
from orchestrator.report.result import CellResult, Exit
from orchestrator.scenario.shipped import plans

SCENARIO = "engines/reply-lost"
ONE_MEMORY = [name for name in engines.NAMES if engines.offer(name).shared]
"""Those whose servers can keep a history of calls."""


@pytest.fixture(scope="module")
def results() -> list[CellResult]:
    missing = [f"engine {name}: {engines.availability(name)}" for name in ONE_MEMORY if engines.availability(name)]
    if missing:
        pytest.skip("; ".join(missing))
    return [ran.result for ran in suite.run([cell for plan in plans([SCENARIO]) for cell in plan.cells], "local")]


def test_every_cell_is_met_on_every_engine(results: list[CellResult]) -> None:
    assert {result.cell.axes["engine"] for result in results} == set(ONE_MEMORY)
    failed = [
        (result.cell.cell, result.problem, result.judgement) for result in results if result.exit_code != Exit.MET
    ]
    assert not failed


def test_several_workers_are_one_node() -> None:
    if reason := engines.availability("epoll_exclusive"):
        pytest.skip(f"engine epoll_exclusive: {reason}")
    assert not suite.not_met(suite.run([cell for plan in plans(["engines/workers"]) for cell in plan.cells], "local"))


def test_a_process_for_each_connection_is_one_node() -> None:
    """Where one of them dies or stops at a failpoint, all do."""
    if reason := engines.availability("fork"):
        pytest.skip(f"engine fork: {reason}")
    assert not suite.not_met(suite.run([cell for plan in plans(["engines/forked"]) for cell in plan.cells], "local"))


def test_both_losses_bit_in_every_cell(results: list[CellResult]) -> None:
    for result in results:
        assert result.judgement is not None
        assert result.judgement.bitten == 4, result.cell.cell
        assert {"request-unseen", "reply-unseen"} <= set(result.judgement.opportunities), result.cell.cell
        holds = {found.name for found in result.judgement.properties if found.verdict is Verdict.HOLDS}
        assert {"valid", "complete", "replies", "reference"} <= holds, result.cell.cell
