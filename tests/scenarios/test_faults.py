"""Every fault bites, on real processes and in sim: the scenarios of scenarios/faults, a small one for each.

And the negative of each: where the fault cannot act, nothing is claimed to have been bitten.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import suite
from requirements import ALL
from suite import Ran

from chaos.faults.fault import Fault
from chaos.faults.messages import MessageFault
from chaos.faults.processes import Kill
from chaos.faults.vocabulary import FAULTS
from nodes.wire.record import Kind
from orchestrator.checkers.verdict import FaultSteps
from orchestrator.report.result import Exit, exit_code
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.shipped import plans

pytestmark = pytest.mark.timeout(600)  # the first test of each backend runs them all

ELSEWHERE = {"Reorder", "Netem", "Crowd"}
"""Kinds that only the table of call semantics (scenarios/rpc) shows, only a kernel that has netem
(tests/integration/test_netem_router.py), or only real servers (test_mux.py)."""

WITHOUT_CONSEQUENCE = {"delay", "delay-jitter", "rate", "corrupt-request", "corrupt-reply", "cut-after-reply", "slice"}
"""What is late within the client's patience, altered unseen or done already: effective, and no mechanism could fail."""

STEPS = {
    "corrupt-reply": [4],
    "corrupt-request": [1],
    "cut-after-reply": [2],
    "cut-after-request": [4],
    "delay": [1],
    "delay-jitter": [12],
    "delay-past-timeout": [1],
    "drop-every": [4],
    "drop-one-client": [2],
    "drop-second-attempt": [1, 1],
    "duplicate-reply": [3],
    "hold-reply": [1],
    "hold-until-heal": [1],
    "hold-until-trigger": [1],
    "kill-archive": [1],
    "kill-in-every-epoch": [1, 1, 1],
    "kill-nth": [1],
    "kill-until-heal": [1],
    "one-link-of-two": [1, 1],
    "partition-both": [1],
    "pause": [1],
    "pause-until-heal": [1],
    "rate": [4],
    "slice": [1],
    "truncate-reply": [4],
    "truncate-request": [4],
}
"""Scenario -> how many operations each of its faults is applied to, and is effective on, in every cell.

Left out are chance (drop-probability: its number is the seed's) and times (what goes on just then).
"""


class Suite(NamedTuple):
    backend: str
    ran: list[Ran]


def cells() -> list[Cell]:
    return suite.applicable(plans(["faults"]))


@pytest.fixture(scope="module")
def sim() -> Suite:
    return Suite("sim", suite.run(cells(), "sim"))


@pytest.fixture(scope="module")
def local() -> Suite:
    return Suite("local", suite.run(suite.share(cells()), "local"))


@pytest.fixture(params=["sim", "local"])
def every(request: pytest.FixtureRequest) -> Suite:
    found: Suite = request.getfixturevalue(request.param)
    return found


def steps(ran: Ran) -> tuple[FaultSteps, ...]:
    assert ran.result.judgement is not None
    return ran.result.judgement.faults


def test_every_kind_of_fault_has_a_scenario() -> None:
    every = [*cells(), *suite.applicable(plans(["containers"]))]
    shown = {type(fault).__name__ for cell in every for fault in cell.faults}
    assert shown | ELSEWHERE == {kind.__name__ for kind in FAULTS.values()}


def test_every_cell_is_as_expected(every: Suite) -> None:
    wrong = [
        f"{suite.name(one.result.cell)}: {found.name}: {found.reason}"
        for one in every.ran
        if one.result.judgement is not None
        for found in one.result.judgement.expectations
        if found.verdict != "met"
    ]
    assert wrong == []
    assert exit_code(one.result for one in every.ran) is Exit.MET


def test_every_fault_is_applied_and_effective(every: Suite) -> None:
    found = {}
    for one in every.ran:
        numbers = [(step.applied, step.effective) for step in steps(one)]
        wanted = STEPS.get(one.result.cell.scenario)
        if wanted is None:
            assert all(applied >= effective >= 1 for applied, effective in numbers), suite.name(one.result.cell)
        elif numbers != [(number, number) for number in wanted]:
            found[suite.name(one.result.cell)] = numbers
    assert found == {}


def test_faults_that_could_break_a_mechanism_are_consequential(every: Suite) -> None:
    for one in every.ran:
        for step in steps(one):
            once = one.result.cell.links[0].semantics == "maybe"  # makes one attempt, so nothing of it is repeated
            if once or one.result.cell.scenario in WITHOUT_CONSEQUENCE:
                assert 0 <= step.consequential <= step.effective, suite.name(one.result.cell)
            else:
                assert step.consequential >= 1, f"{suite.name(one.result.cell)}: {step}"


def test_everything_was_healed_and_drained_in_time(every: Suite) -> None:
    late = [
        (suite.name(one.result.cell), event.detail["phase"])
        for one in every.ran
        for event in one.history.events
        if event.kind is Kind.PHASE and event.detail["phase"].endswith("-capped")
    ]
    assert late == []


def test_chance_is_the_seeds_on_both_backends(sim: Suite, local: Suite) -> None:
    simulated, real = dropped(sim), dropped(local)
    assert real.items() <= simulated.items()
    assert real.keys() == simulated.keys() or not ALL
    assert len({*real.values(), *simulated.values()}) == 1, "decided by identity, whatever the cell"


def dropped(of: Suite) -> dict[str, frozenset[Any]]:
    return {
        suite.name(one.result.cell): frozenset(
            event.operation
            for event in one.history.events
            if event.kind is Kind.DECISION and event.detail["act"] == "drop"
        )
        for one in of.ran
        if one.result.cell.scenario == "drop-probability"
    }


# Negatives: the same cells, with a fault that cannot act


def powerless(fault: Fault) -> Fault:
    """The fault for a process that does not exist, in an epoch or at a trigger that never comes."""
    if isinstance(fault, MessageFault):
        return replace(fault, clients=(99,))
    if isinstance(fault, Kill) and fault.at is not None:
        return replace(fault, epoch=99)
    return replace(fault, when="client gate 99", after=None)


def test_a_fault_that_cannot_act_is_not_claimed_to_have_bitten() -> None:
    tried = [(cell, index) for cell in cells() for index in range(len(cell.faults))][:: 1 if ALL else 3]
    for ran, (_, index) in zip(suite.run([without(*each) for each in tried], "sim"), tried, strict=True):
        assert_not_bitten(ran, index)


def test_nor_is_it_on_real_processes() -> None:
    names = {"drop-every", "cut-after-request", "kill-nth", "pause"}
    tried = {cell.scenario: without(cell, 0) for cell in cells() if cell.scenario in names}
    for ran in suite.run([cell.model_copy(update={"load": 500}) for cell in tried.values()], "local", idle=True):
        assert_not_bitten(ran, 0)


def without(cell: Cell, index: int) -> Cell:
    faults = tuple(powerless(fault) if place == index else fault for place, fault in enumerate(cell.faults))
    label = f"{cell.cell},powerless={index}"
    return cell.model_copy(update={"faults": faults, "cell": label, "axes": {**cell.axes, "powerless": str(index)}})


def assert_not_bitten(ran: Ran, index: int) -> None:
    name = suite.name(ran.result.cell)
    assert (steps(ran)[index].applied, steps(ran)[index].effective) == (0, 0), name
    assert ran.result.exit_code is Exit.INCONCLUSIVE, name
    assert ran.result.judgement is not None
    said = {found.name: found for found in ran.result.judgement.expectations}
    assert (said["faults"].verdict, "did not bite" in said["faults"].reason) == ("inconclusive", True), name
    assert said["bitten"].verdict == "inconclusive", name
