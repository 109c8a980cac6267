"""Faults on processes that the engine does, in whole runs: two cells at once, judged by their scenarios.

A busy machine can make a cell inconclusive, with operations that were late for nothing; never unmet, and never fail.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from docker_rig import cells

from nodes.control import FENCED
from nodes.wire.record import Kind
from orchestrator.backends import ready
from orchestrator.checkers.verdict import Met
from orchestrator.explore.attempt import recorded
from orchestrator.history.merged import History
from orchestrator.history.recorded import log_of
from orchestrator.report.result import CellResult, Task
from orchestrator.scenario.cell import Cell
from orchestrator.sweep.cells import run_cells
from orchestrator.sweep.store import HISTORY, Store, read_history

pytestmark = [pytest.mark.usefixtures("node_image"), pytest.mark.timeout(300)]

AXES = {"semantics": "exactly-once", "transport": "tcp"}
SCENARIOS = ("faults/pause", "faults/kill-archive", "rpc/09-crash-after-commit", "containers/predecessor")


REPLAYED = "replayed"


def one(scenario: str) -> Cell:
    return next(cell for cell in cells(scenario) if AXES.items() <= cell.axes.items())


def simulated(scenario: str) -> Cell:
    """What was done in a simulated run of it is to be done again."""
    cell = one(scenario)
    return cell.model_copy(update={"scenario": REPLAYED, "log": log_of(cell, recorded(cell), REPLAYED)})


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[CellResult, History]]:
    """By scenario."""
    chosen = [*map(one, SCENARIOS), simulated("rpc/09-crash-after-commit")]
    store = Store(tmp_path_factory.mktemp("runs"), "now")
    with ready("docker") as containers:
        results = run_cells([Task(cell) for cell in chosen], containers, 2, store, lambda result: None)
    return {result.cell.scenario: (result, read_history(path(result))) for result in results}


def path(result: CellResult) -> Path:
    assert result.problem is None, f"{result.cell.scenario}: {result.problem}"
    assert result.directory is not None
    return result.directory / HISTORY


def test_nothing_is_unmet_and_every_fault_was_done(ran: dict[str, tuple[CellResult, History]]) -> None:
    for result, _ in ran.values():
        judgement = result.judgement
        assert judgement is not None
        assert [found for found in judgement.expectations if found.verdict is Met.UNMET] == []
        assert all(fault.applied for fault in judgement.faults), result.cell.scenario


def test_a_kill_keeps_the_volume_and_archiving_gives_another(ran: dict[str, tuple[CellResult, History]]) -> None:
    kept, archived = (histories(ran[name][1]) for name in ("09-crash-after-commit", "kill-archive"))
    assert set(kept) == set(archived) == {1, 2}
    assert kept[1] == kept[2]
    assert archived[1] != archived[2]


def histories(history: History) -> dict[int, int]:
    """Epoch of the server -> the id of the history in its ledger."""
    starts = [event for event in history.events if event.kind is Kind.START and event.node == "server"]
    return {event.epoch: event.detail["history"] for event in starts}


def test_what_was_done_in_a_simulated_run_is_done_again(ran: dict[str, tuple[CellResult, History]]) -> None:
    result, history = ran[REPLAYED]
    assert result.judgement is not None
    assert result.judgement.replayed is not None
    assert (result.judgement.replayed.applied, result.judgement.replayed.absent) == (1, ())
    log = result.cell.log
    assert log is not None
    (line,) = (event for event in history.events if event.kind is Kind.FAILPOINT)
    assert (line.client, line.seq, line.attempt) == log.strikes[0].passage


def test_a_pause_is_noted_with_its_end(ran: dict[str, tuple[CellResult, History]]) -> None:
    acts = [event.detail["act"] for event in ran["pause"][1].events if event.kind is Kind.ACT]
    assert acts == ["pause", "resume"]


def test_a_predecessor_that_wakes_beside_its_successor_is_fenced(ran: dict[str, tuple[CellResult, History]]) -> None:
    """Two containers of one node, with one volume."""
    events = ran["predecessor"][1].events
    reaped = {
        event.detail["epoch"]: event.detail
        for event in events
        if event.kind is Kind.REAPED and event.detail["node"] == "server"
    }
    assert reaped[1]["code"] == FENCED
    assert reaped[2]["code"] == 0
    executions = Counter(event.operation for event in events if event.kind is Kind.EFFECT)
    assert set(executions.values()) == {1}
