"""What CI is told: a failure or an error for every exit code other than 0, however the command ended."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sample_results import CELLS, cell, judgement, result

from orchestrator.checkers.verdict import Met, Outcome
from orchestrator.cli import main
from orchestrator.report.junit import junit
from orchestrator.report.result import CellResult, Ending, Exit, exit_code
from orchestrator.report.told import Told
from orchestrator.run.session import SessionError

SKIPPED = [one for one in CELLS if one.not_applicable]
LOST = cell(fault="lost", semantics="at-most-once")
RESULTS = {
    Exit.MET: result(LOST),
    Exit.UNMET: result(LOST, judgement(Outcome("ok", 2), verdict=Met.UNMET)),
    Exit.INCONCLUSIVE: result(LOST, judgement(verdict=Met.INCONCLUSIVE)),
    Exit.TESTBED: result(LOST, error="dead \x00 node"),
    Exit.INTERRUPTED: result(LOST, interrupted=True),
}
GATE = result(LOST, judgement(gate=("a row is missing",)))

SCENARIO = """\
scenario: small
matrix: {semantics: [maybe, exactly-once]}
nodes: {server: {service: counter}, client: {workload: add, calls: 4}}
links: [{from: client, to: server, semantics: "${semantics}"}]
faults: [{drop: request, link: client -> server, operations: [1]}]
expect: {bitten: {client: ok, executions: 1}}
"""
NOTHING_TO_RUN = SCENARIO + "not_applicable: [{semantics: [maybe, exactly-once], reason: not today}]\n"


def counts(document: bytes) -> dict[str, int]:
    root = ET.fromstring(document)
    return {key: int(root.get(key, "-1")) for key in ("tests", "failures", "errors", "skipped")}


def outcomes(results: list[CellResult], ending: Ending | None = None) -> list[tuple[str, str | None, str | None]]:
    """Element, type and message of every case that is not simply good."""
    root = ET.fromstring(junit(Told(results), ending))
    return [
        (one.tag, one.get("type"), one.get("message"))
        for case in root.iter("testcase")
        for one in case
        if one.tag in ("failure", "error", "skipped")
    ]


def test_every_kind_of_result_has_its_own_outcome() -> None:
    assert outcomes(list(RESULTS.values())) == [
        ("failure", "unmet", "bitten unmet: it was <otherwise>"),
        ("error", "inconclusive", "bitten inconclusive: it was <otherwise>"),
        ("error", "testbed", "dead ? node"),
        ("error", "interrupted", "interrupted"),
    ]
    assert outcomes([GATE]) == [("error", "testbed", "evidence: a row is missing")]


def test_a_cell_that_is_declared_not_applicable_is_skipped_also_where_nothing_else_was_run() -> None:
    assert counts(junit(Told([], SKIPPED))) == {
        "tests": len(SKIPPED),
        "failures": 0,
        "errors": 0,
        "skipped": len(SKIPPED),
    }


def test_a_case_says_what_it_takes_to_run_it_again() -> None:
    case = next(ET.fromstring(junit(Told([RESULTS[Exit.MET]]))).iter("testcase"))
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert properties["seed"] == "1"
    assert properties["cell"] == LOST.cell
    assert "directory" not in properties
    kept = next(ET.fromstring(junit(Told([result(LOST, directory=Path("results/lost"))]))).iter("testcase"))
    assert {one.get("value") for one in kept.iter("property") if one.get("name") == "directory"} == {"results/lost"}


ENDINGS = st.builds(Ending, st.sampled_from([code for code in Exit if code is not Exit.MET]), st.text())


@given(st.lists(st.sampled_from([*RESULTS.values(), GATE])), st.none() | ENDINGS)
def test_every_exit_code_but_0_has_a_failure_or_an_error_and_0_none(
    results: list[CellResult], ending: Ending | None
) -> None:
    code = ending.code if ending else exit_code(results)
    found = counts(junit(Told(results, SKIPPED), ending))
    assert bool(found["failures"] + found["errors"]) == (code is not Exit.MET)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """-> the JUnit file, at first that of an earlier run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SCENARIO)
    (tmp_path / "junit.xml").write_text("<testsuites/>")
    return tmp_path / "junit.xml"


def ended(junit: Path, *arguments: str) -> tuple[int, str]:
    """-> (exit code, the outcome that is no cell's)."""
    code = CliRunner().invoke(main, ["run", "--backend", "sim", "--junit", str(junit), *arguments]).exit_code
    case = ET.parse(junit).find("testsuite[@name='faultbed']/testcase/error")
    return code, "" if case is None else f"{case.get('type')}: {case.get('message')}"


def fail_with(error: BaseException) -> object:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_what_is_refused_before_anything_starts_is_told(run: Path) -> None:
    run.with_name("bad.yaml").write_text(SCENARIO.replace("[1]", "[9]"))
    code, told = ended(run, "bad.yaml")
    assert code == 4
    assert told.startswith("usage: bad.yaml:5: faults[0].operations: operation 9 of 4 calls")
    assert ended(run, "small.yaml", "--only", "semantics=most")[1].startswith("usage: --only 'semantics=most'")


def test_a_scenario_of_which_nothing_is_to_be_run_is_an_error(run: Path) -> None:
    run.with_name("small.yaml").write_text(NOTHING_TO_RUN)
    assert ended(run, "small.yaml") == (4, "usage: nothing to run: not today")
    assert counts(run.read_bytes())["skipped"] == 2


def test_an_interrupt_is_told_whatever_had_ended(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.sweep.cells.run_cells", fail_with(KeyboardInterrupt()))
    assert ended(run, "small.yaml") == (130, "interrupted: interrupted: 0 of 2 cell runs had ended")


def test_a_backend_that_cannot_be_had_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.sweep.cells.run_cells", fail_with(SessionError("no engine answers")))
    assert ended(run, "small.yaml") == (3, "testbed: no engine answers")


def test_what_could_not_be_undone_is_told_beside_the_cells(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_cells(_t: object, _r: object, _j: int, _s: object, done: object) -> None:
        done(result(LOST))  # type: ignore[operator]
        raise SessionError("could not undo a network")

    monkeypatch.setattr("orchestrator.sweep.cells.run_cells", run_cells)
    monkeypatch.setattr("orchestrator.commands.run.Command._keep", lambda _: None)
    assert ended(run, "small.yaml") == (3, "testbed: could not undo a network")
    assert counts(run.read_bytes())["tests"] == 2


def test_a_run_as_expected_has_its_cells_alone(run: Path) -> None:
    assert ended(run, "small.yaml", "--only", "semantics=exactly-once") == (0, "")
    assert counts(run.read_bytes()) == {"tests": 1, "failures": 0, "errors": 0, "skipped": 0}
