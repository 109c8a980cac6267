"""A scenario may expect any property by its name: that it holds, or that a bitten operation violates it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from history_builder import CLIENT, Run, cell
from stories import DROP_REPLY, DROP_REQUEST, reply_lost, reply_lost_executed_again, request_lost

from chaos.faults.fault import Fault
from orchestrator.checkers.expect import judge
from orchestrator.checkers.properties import CHECKERS
from orchestrator.checkers.verdict import ExpectationVerdict, Met
from orchestrator.scenario.cell import Cell, Delivery, Expect
from orchestrator.scenario.document import BadScenario
from orchestrator.scenario.plan import expand
from orchestrator.scenario.schema import schema

LOSS = Delivery(holds="at-most-once", under=("loss",))
SCENARIO = """\
scenario: one
matrix: {fault: [none, lost]}
nodes:
  server: {service: counter}
  client: {workload: add}
links:
  - {from: client, to: server, semantics: at-most-once, variant: no-duplicate-filter}
faults:
  - by: fault
    none: null
    lost: {drop: reply, link: client -> server}
expect:
  others: {client: ok, executions: 1}
"""


def expected(run: Run, name: str, *faults: Fault, **wanted: Any) -> ExpectationVerdict:
    judgement = judge(cell(faults=faults, expect=Expect.model_validate(wanted)), run.history())
    (found,) = (verdict for verdict in judgement.expectations if verdict.name == name)
    return found


def test_one_that_holds_and_was_tried_is_met() -> None:
    found = expected(reply_lost(Run()), "once", DROP_REPLY, once="holds", delivery=LOSS)
    assert found == ExpectationVerdict("once", Met.MET)


def test_one_that_is_violated_is_unmet_and_has_a_witness() -> None:
    found = expected(reply_lost_executed_again(Run()), "once", DROP_REPLY, once="holds")
    said = f"once is violated: operation 1 of client {CLIENT}: it was executed 2 times"
    assert found == ExpectationVerdict("once", Met.UNMET, said, (CLIENT, 1))


def test_one_that_was_not_tried_is_inconclusive() -> None:
    found = expected(request_lost(Run()), "once", DROP_REQUEST, once="holds")
    assert found == ExpectationVerdict("once", Met.INCONCLUSIVE, "nothing was there to be checked")


@pytest.mark.parametrize("name", ["once", "complete"])
def test_without_a_level_it_is_tried_under_what_bit(name: str) -> None:
    assert expected(reply_lost(Run()), name, DROP_REPLY, **{name: "holds"}) == ExpectationVerdict(name, Met.MET)


def test_a_violation_needs_no_level_beside_it() -> None:
    again = expected(reply_lost_executed_again(Run()), "once", DROP_REPLY, once="violated")
    assert (again.verdict, again.witness) == (Met.MET, (CLIENT, 1))


def test_an_expected_violation_needs_a_bitten_witness() -> None:
    again = expected(reply_lost_executed_again(Run()), "once", DROP_REPLY, once="violated", delivery=LOSS)
    assert (again.verdict, again.witness) == (Met.MET, (CLIENT, 1))
    kept = expected(reply_lost(Run()), "once", DROP_REPLY, once="violated", delivery=LOSS)
    assert (kept.verdict, kept.reason) == (Met.UNMET, "once was to be violated, and holds")


def test_one_that_is_judged_in_any_case_is_judged_once() -> None:
    assert expected(reply_lost(Run()), "replies", DROP_REPLY, replies="holds").verdict is Met.MET


def test_every_property_may_be_named_and_selected_by_an_axis() -> None:
    for name in CHECKERS:
        text = f"{SCENARIO}  {name}: {{by: fault, lost: violated, else: null}}\n"
        without, lost = expand(text, "f.yaml").cells
        assert (without.expect.properties, lost.expect.properties) == ({}, {name: "violated"})
        assert Cell.model_validate_json(lost.model_dump_json(by_alias=True)) == lost


def test_what_a_scenario_does_not_name_is_not_in_its_plan() -> None:
    (written, *_) = (json.loads(one.model_dump_json()) for one in expand(SCENARIO, "f.yaml").cells)
    assert set(written["expect"]) == {"bitten", "others", "seen", "delivery", "convicted_by"}


@pytest.mark.parametrize(
    ("line", "path", "message"),
    [
        ("onse: holds", "expect.onse", "expected bitten, others, seen, strained, delivery, convicted_by, agreement"),
        ("onse: holds", "expect.onse", "(did you mean once?)"),
        ("once: hold", "expect.once", "expected 'holds' or 'violated'; found \"hold\""),
        ("once: violated", "expect.once", "a violation's witness is bitten, so expected a fault (in cell fault=none)"),
        ("reference: holds\n  convicted_by: [reference]", "expect.reference", "expected already, by convicted_by"),
    ],
)  # fmt: skip
def test_what_cannot_be_expected(line: str, path: str, message: str) -> None:
    with pytest.raises(BadScenario) as caught:
        expand(f"{SCENARIO}  {line}\n", "f.yaml")
    assert caught.value.first.path == path
    assert message in caught.value.first.message


def test_the_schema_knows_every_property() -> None:
    (expect,) = (one for one in schema()["properties"]["expect"]["anyOf"] if "properties" in one)
    for name in CHECKERS:
        assert {"enum": ["holds", "violated"], "type": "string"} in expect["properties"][name]["anyOf"][0]["anyOf"]
