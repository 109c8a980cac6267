"""Faults at several failpoints of one server: each is told from the others, by what it does and by whom it bit."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import suite
from suite import Ran

from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.idle import reason
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index
from orchestrator.report.result import Exit
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: several
nodes:
  server: {service: counter}
  client: {workload: add, calls: 10, after_heal: 6, gates: {GATES}}
links:
  - {from: client, to: server, semantics: exactly-once, transport: tcp}
faults:
FAULTS
expect:
  bitten: {client: ok, executions: 1}
  others: {client: ok, executions: 1}
"""
REAL = ("local",)
BOTH = ("sim", "local")


class Case(NamedTuple):
    """`idle`: fault -> why it did not bite; `bitten`: operations' numbers."""

    faults: tuple[str, ...]
    idle: dict[int, str]
    bitten: set[int]
    gates: str = ""
    backends: tuple[str, ...] = BOTH


def passed(place: str) -> str:
    return f"attempt 1 of operation 4 did not pass {place} in epoch 1 of server before heal"


CASES = {
    "one place, two operations": Case(
        (
            "{kill: server, at: after-commit, operation: 4, restart: {after: 0ms}}",
            "{kill: server, at: after-commit, operation: 2, restart: {after: 0ms}}",
        ),
        {0: passed("after-commit")},
        {2},
    ),
    "one place, two passages": Case(
        (
            "{kill: server, at: after-commit, nth: 4, restart: {after: 0ms}}",
            "{kill: server, at: after-commit, nth: 2, restart: {after: 0ms}}",
        ),
        {0: "epoch 1 of server did not pass after-commit 4 times before heal"},
        {2},
    ),
    "the restart is that of the one that struck": Case(
        (
            "{kill: server, at: before-commit, operation: 4}",
            "{kill: server, at: after-commit, operation: 2, restart: {when: early on}, name: early}",
        ),
        {0: passed("before-commit")},
        {2},
    ),
    "the end is that of the one that struck": Case(
        (
            "{pause: server, at: received, operation: 4, name: late}",
            "{pause: server, at: received, operation: 2, lasts: 50ms, name: early}",
        ),
        {},
        {2, 4},
        gates="3: early off, 4: early off",
        backends=REAL,
    ),
}


def cell(name: str, case: Case) -> Cell:
    faults = "\n".join(f"  - {fault}" for fault in case.faults)
    text = SCENARIO.replace("FAULTS", faults)
    (made,) = expand(text.replace("GATES", case.gates), "several.yaml").cells
    return made.model_copy(update={"cell": f"case={name}", "axes": {"case": name}})


@pytest.fixture(scope="module")
def sim() -> dict[str, Ran]:
    return every("sim")


@pytest.fixture(scope="module")
def local() -> dict[str, Ran]:
    return every("local")


def every(backend: str) -> dict[str, Ran]:
    made = [cell(name, case) for name, case in CASES.items() if backend in case.backends]
    return {one.result.cell.axes["case"]: one for one in suite.run(made, backend, idle=True)}


@pytest.mark.parametrize(
    ("name", "backend"), [(name, backend) for name, case in CASES.items() for backend in case.backends]
)
def test_each_is_told_from_the_others(name: str, backend: str, request: pytest.FixtureRequest) -> None:
    ran: Ran = request.getfixturevalue(backend)[name]
    case = CASES[name]
    setting = Setting(cell(name, case), Index(ran.history))
    found = bite(setting)
    assert {seq for _, seq in found.bitten} == case.bitten
    assert {index: reason(setting, found.rules[index]) for index in found.idle} == case.idle
    assert ran.result.exit_code is (Exit.INCONCLUSIVE if case.idle else Exit.MET), suite.not_met([ran])
    assert ran.result.judgement is not None
    assert not ran.result.judgement.caps
