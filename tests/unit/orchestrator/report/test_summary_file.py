"""summary.json says everything about every cell under the names that it always had."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from sample_results import ORIGIN, cell, judgement, result

from orchestrator.checkers.verdict import Cap, FaultSteps, Met, Outcome, Replayed
from orchestrator.history.clocks import Clock
from orchestrator.report.junit import junit
from orchestrator.report.lines import cell_line
from orchestrator.report.replayed import came
from orchestrator.report.summary import summary
from orchestrator.report.told import Told

ONE = cell(fault="lost", semantics="at-most-once", transport="udp")


def test_a_judged_cell() -> None:
    judged = judgement(Outcome("ok", 1, "cached"), verdict=Met.UNMET)._replace(
        faults=(FaultSteps("drop request", 4, 3, 2, 1),), caps=(Cap("load", ((10101, 3),)),)
    )
    clock = Clock("box", 5, 7, "agent a")
    made = summary(Told([result(ONE, judged, directory=Path("results/1/a"), clocks=(clock,))]), "local", ORIGIN)
    (told,) = made.pop("cells")
    assert told == {
        "cell": ONE.cell,
        "axes": {"fault": "lost", "semantics": "at-most-once", "transport": "udp"},
        "repeat": 1,
        "seed": 1,
        "exit_code": 1,
        "seconds": 0.25,
        "directory": "a",
        "problem": None,
        "clocks": [clock._asdict()],
        "bitten": 1,
        "unchecked": [],
        "caps": [{"phase": "load", "open": ((10101, 3),)}],
        "faults": [{"fault": "drop request", "named": 4, "applied": 3, "effective": 2, "consequential": 1}],
        "outcomes": [{"client": "ok", "executions": 1, "status": "cached"}],
        "opportunities": {"repeat-after-commit": 1},
        "models": {"loss": {"bitten": 1, "repeat-after-commit": 1}},
        "untried": [],
        "properties": {"once": "holds"},
        "expectations": {"bitten": "unmet"},
    }
    assert made.keys() == {"made_by", "backend", "claims", "not_exercised", "untried"}
    assert (made["made_by"], made["backend"]) == (ORIGIN._asdict(), "local")
    assert {claim["standing"] for claim in made["claims"]} == {"claimed"}
    assert made["claims"][0].keys() == {
        "mechanism", "level", "model", "standing", "opportunities", "bitten", "missing", "undeclared", "refuted",
        "bound",
    }  # fmt: skip
    assert made["not_exercised"] == []


def test_what_no_cell_offered_is_named() -> None:
    made = summary(
        Told([result(ONE, judgement(Outcome("ok", 1))._replace(models={"loss": {"bitten": 1}}))]), "sim", ORIGIN
    )
    assert made["not_exercised"] == ["at-most-once: at-most-once under loss: repeat-after-commit"]


def test_a_cell_whose_testbed_failed_has_a_problem_and_no_verdict() -> None:
    made = summary(Told([result(ONE, error="no room")]), "sim", ORIGIN)
    (told,) = made["cells"]
    assert (told["problem"], told["exit_code"], told["directory"]) == ("no room", 3, None)
    assert not {"bitten", "properties", "expectations"} & told.keys()


def test_how_far_a_replay_came_is_told_everywhere() -> None:
    judged = judgement(Outcome("ok", 1))._replace(
        replayed=Replayed(3, 2, ("x", "y"), (0,), ("z",)), missed=4, caught=5, late=1
    )
    told = Told([result(ONE, judged)])
    (cell_told,) = summary(told, "sim", ORIGIN)["cells"]
    assert cell_told["replayed"] == {
        "applied": 3,
        "unknown": 2,
        "absent": ("x", "y"),
        "windows": (0,),
        "differing": ("z",),
    }
    assert "missed=4 caught=5 late=1 replayed=3/5 unknown=2" in cell_line(told.results[0])
    (value,) = [
        one.get("value") for one in ET.fromstring(junit(told)).iter("property") if one.get("name") == "replayed"
    ]
    assert value == came(judged.replayed or Replayed(0, 0))
    assert "replayed" not in summary(Told([result(ONE)]), "sim", ORIGIN)["cells"][0]
