"""One value says all of a command's results: what renders it computes no fact of its own."""

from __future__ import annotations

import pickle
import xml.etree.ElementTree as ET
from pathlib import Path

from sample_results import CELLS, ORIGIN, cell, judgement, result

from chaos.problem import Problem
from orchestrator.checkers.verdict import Cap, Met, Outcome, PropertyVerdict, Verdict
from orchestrator.history.clocks import Clock
from orchestrator.history.merged import History
from orchestrator.report.closing import closing
from orchestrator.report.due import Shortfall
from orchestrator.report.junit import junit
from orchestrator.report.result import Exit, Refusal
from orchestrator.report.summary import summary
from orchestrator.report.told import LeftOut, Told

LOST, CRASH = (cell(fault=name, semantics="at-most-once") for name in ("lost", "crash"))
OTHER = LOST.model_copy(update={"scenario": "other"})
CAPPED = judgement(Outcome("ok", 1), verdict=Met.UNMET)._replace(caps=(Cap("load", ()),))
SKIPPED = [one for one in CELLS if one.not_applicable]
LEFT_OUT = [Refusal(each, (Problem(("nodes",), "no room"), Problem((), "more"))) for each in (LOST, CRASH, OTHER)]


def no_history(_: Path) -> History:
    raise AssertionError("nothing is to be read")


def test_reasons_and_caps_are_the_same_in_text_and_junit() -> None:
    told = Told([result(LOST, CAPPED), result(CRASH)])
    (run,) = told.problems
    assert told.capped == (run,)
    text = "\n".join(closing(told, no_history))
    (failure,) = ET.fromstring(junit(told)).iter("failure")
    assert failure.get("message") == run.reasons[0]
    assert run.reasons[0] in text
    assert f": {run.capped}" in text


def test_what_could_not_be_checked_is_told_everywhere() -> None:
    judged = judgement(Outcome("ok", 1))._replace(unchecked=("plan not checked: it is old",))
    told = Told([result(LOST, judged), result(CRASH)])
    assert f"  sample {LOST.cell}: plan not checked: it is old" in list(closing(told, no_history))
    assert [one.get("value") for one in ET.fromstring(junit(told)).iter("property") if one.get("name") == "unchecked"]
    assert [cell["unchecked"] for cell in summary(told, "sim", ORIGIN)["cells"]] == [list(judged.unchecked), []]


def test_what_was_left_out_is_told_together_and_cell_by_cell() -> None:
    told = Told([], SKIPPED, LEFT_OUT)
    assert told.left_out_together == (LeftOut("sample", 2, "nodes", "no room"), LeftOut("other", 1, "nodes", "no room"))
    assert [one.why for one in told.absent[len(SKIPPED) :]] == ["left out: nodes: no room"] * 3
    assert list(closing(told, no_history))[-1] == "nothing was run"


def test_one_scenario_alone() -> None:
    told = Told([result(OTHER), result(LOST), result(CRASH, error="no")])
    assert told.scenarios == ("other", "sample")
    assert told.counts == ((Exit.MET, 2), (Exit.TESTBED, 1))
    assert told.of("other").counts == ((Exit.MET, 1),)
    assert [one["cell"] for one in summary(told.of("sample"), "sim", ORIGIN)["cells"]] == [LOST.cell, CRASH.cell]


def test_what_is_cut_short_is_not_met() -> None:
    assert Told([result(LOST)]).exit is Exit.MET
    assert Told([result(LOST)], short=[Shortfall("run", 2, (), ("one",))]).exit is Exit.INCONCLUSIVE


def test_a_clock_is_told_as_it_was_known_where_it_was_known_least() -> None:
    well, badly, other = Clock("x", 5, 1, "b"), Clock("x", 6, 9, "b"), Clock("y", 7, 2, "a")
    assert Told([result(LOST, clocks=(well, other)), result(CRASH, clocks=(badly,))]).clocks == (other, badly)


def test_each_scenario_has_its_witness(tmp_path: Path) -> None:
    violated = (PropertyVerdict("once", Verdict.VIOLATED, {}, (10101, 2)),)
    bad = judgement(Outcome("ok", 2), verdict=Met.UNMET)._replace(properties=violated)
    results = [result(one, bad, directory=tmp_path) for one in (LOST, CRASH, OTHER)]
    found = Told([*results, result(CRASH)]).witnesses
    assert [(one.result, one.operation, one.expected) for one in found] == [
        (results[0], (10101, 2), False),
        (results[2], (10101, 2), False),
    ]


def test_it_can_be_pickled() -> None:
    told = Told([result(LOST, CAPPED)], SKIPPED, LEFT_OUT)
    assert pickle.loads(pickle.dumps(told)) == told
