"""Each fault shows how far it came: applied, effective, consequential."""

from __future__ import annotations

from pathlib import Path

import pytest
from history_builder import Run, cell
from sample_results import cell as sample_cell
from sample_results import judgement, result
from stories import DROP_REPLY, DROP_REQUEST, LINK, crash_after_commit, kill, reply_lost, request_lost

from chaos.faults.fault import Fault
from chaos.faults.messages import Cut, Delay
from chaos.faults.paths import Partition
from chaos.faults.processes import Kill, Pause
from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import FaultSteps
from orchestrator.report.closing import closing
from orchestrator.report.faults import faults_table
from orchestrator.report.told import Told


def steps(run: Run, fault: Fault) -> tuple[int, int, int, int]:
    (found,) = judge(cell(faults=(fault,)), run.history()).faults
    return (found.named, found.applied, found.effective, found.consequential)


def test_a_fault_that_did_what_it_was_to_do_and_mattered() -> None:
    assert steps(reply_lost(Run()), DROP_REPLY) == (1, 1, 1, 1)
    assert steps(request_lost(Run()), DROP_REQUEST) == (1, 1, 1, 1)
    assert steps(crash_after_commit(Run()), kill("after-commit")) == (1, 1, 1, 1)


def test_a_fault_that_never_came_is_named_only() -> None:
    assert steps(Run().call(1).healed(2), DROP_REPLY) == (1, 0, 0, 0)
    assert steps(Run().call(1).healed(2), kill("after-commit")) == (1, 0, 0, 0)
    assert steps(Run().call(1).healed(2), Pause(pause="server", when="client gate 1")) == (0, 0, 0, 0)


def test_a_dropped_message_that_arrived_all_the_same_was_applied_and_not_effective() -> None:
    run = Run().invoke(1).send(1).decide("request", 1, act="drop", rule=0).run(1).reply(1, 1, 1).ok(1, 1)
    assert steps(run.healed(2), DROP_REQUEST) == (1, 1, 0, 0)


def test_a_short_delay_is_effective_and_has_no_consequence() -> None:
    run = Run().invoke(1).send(1).decide("request", 1, act="delay", rule=0).wait(20).release("request", 1, act="delay")
    run.run(1).decide("reply", 1).reply(1, 1, 1).ok(1, 1).healed(2)
    assert steps(run, Delay(delay="request", by=20, link=LINK, operations=(1,))) == (1, 1, 1, 0)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (DROP_REQUEST, "drop request"),
        (Cut(cut="after", of="reply", link=LINK), "cut after reply"),
        (Partition(partition="both", link=LINK), "partition both"),
        (kill("before-commit"), "kill at before-commit"),
        (Kill(kill="server", after=1), "kill"),
    ],
)
def test_faults_in_few_words(fault: Fault, words: str) -> None:
    assert fault.title == words


def test_the_table_sums_over_the_cells_of_a_scenario() -> None:
    judged = judgement()._replace(faults=(FaultSteps("drop request", 4, 3, 2, 1), FaultSteps("kill", 1, 1, 1, 0)))
    results = [result(sample_cell(fault="lost", semantics="at-most-once"), judged)] * 2
    table = faults_table([*results, result(sample_cell(fault="crash"), judged), result(sample_cell(), error="no")])
    assert table[1:] == [
        ["lost", "drop request", "2", "6", "4", "2"],
        ["lost", "kill", "2", "2", "2", "0"],
        ["crash", "drop request", "1", "3", "2", "1"],
        ["crash", "kill", "1", "1", "1", "0"],
    ]
    assert faults_table([]) == []


def test_the_table_is_told_at_the_end_of_a_run() -> None:
    judged = judgement()._replace(faults=(FaultSteps("drop request", 4, 3, 2, 1),))

    def no_history(_: Path) -> None:
        raise AssertionError("nothing is to be read")

    told = list(closing(Told([result(sample_cell(fault="lost"), judged)]), no_history))  # type: ignore[arg-type]
    assert "What the faults did:" in told
