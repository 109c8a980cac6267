"""Runs that earlier versions recorded are still judged, as they were then."""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.checkers.expect import judge
from orchestrator.checkers.verdict import plain
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.system import Driver, ProjectService
from orchestrator.sweep.store import read_cell, read_run

CELL = Path(__file__).parent / "recorded" / "cell"
"""What `faultbed run --backend sim` left of one cell when servers and clients were two mappings."""


def test_its_nodes_are_one_mapping() -> None:
    cell = read_cell(CELL)
    assert list(cell.nodes) == ["server", "client"] == [*cell.servers, *cell.clients]
    assert Cell.model_validate_json(cell.model_dump_json(by_alias=True)) == cell


def test_it_is_judged_as_it_was() -> None:
    """What is asked of a history since then stands beside what was asked already; *valid* now counts all its steps."""
    then = json.loads((CELL / "verdicts.json").read_text("utf-8"))
    now = json.loads(json.dumps(plain(judge(*read_run(CELL)))))
    for key in ("properties", "expectations"):
        asked = [each["name"] for each in then[key]]
        now[key] = [each for each in now[key] if each["name"] in asked]
    assert then["properties"][0].pop("counts") == {"bitten": 1}
    assert now["properties"][0].pop("counts") == {"operations": 3, "executions": 3, "replies": 0, "rows": 3}
    assert {key: now[key] for key in then} == then
    assert now["unchecked"] == [
        "plan not checked: the history does not say of which plan it is (older versions did not record that)",
        "waits not checked: the journals do not tell how long clients waited (older versions did not record that)",
        "lines of answers not checked: the journals do not tell over which connections servers answered (older "
        "versions did not record that)",
    ]


def test_a_systems_driver_and_services_are_its_nodes() -> None:
    links = [{"from": "driver", "to": "orders:8080", "framer": "http1"}, {"from": "orders", "to": "redis:6379"}]
    system = {
        "project": {"compose": "c.yml"},
        "links": [{"framer": "resp", **link} for link in links],
        "driver": {"exec": "./drive.py", "calls": 5},
        "oracle": {"redis": "HGETALL booked", "at": "redis:6379"},
    }
    made = {"scenario": "s", "about": "", "cell": "-", "axes": {}, "seed": 1, "links": [], "faults": [], "expect": {}}
    cell = Cell.model_validate({**made, "servers": {}, "clients": {}, "system": system})
    assert cell.nodes == {
        "driver": Driver(exec="./drive.py", calls=5),
        "orders": ProjectService(),
        "redis": ProjectService(),
    }
    assert (list(cell.callers), list(cell.called)) == (["driver"], ["orders", "redis"])
