"""Every command and every exit code, on simulated or prepared runs."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from sample_results import CELLS, judgement, result

from nodes.engines.common.workers import MOST
from orchestrator.backends import leftovers, named
from orchestrator.backends.backend import Swept
from orchestrator.backends.code_digest import EVERYTHING, digest
from orchestrator.checkers.verdict import Met, Outcome
from orchestrator.cli import main
from orchestrator.commands.run import Tasks, selected
from orchestrator.report.result import CellResult, Task
from orchestrator.run.session import SessionError
from orchestrator.scenario import shipped
from orchestrator.scenario.document import BadScenario
from orchestrator.scenario.plan import expand, load

TABLE = [name for name in shipped.names() if name.startswith("rpc/")]

SCENARIO = """\
scenario: small
matrix: {semantics: [maybe, exactly-once]}
nodes: {server: {service: counter}, client: {workload: add, calls: 4}}
links: [{from: client, to: server, semantics: "${semantics}"}]
faults: [{drop: request, link: client -> server, operations: [1]}]
expect: {bitten: {client: ok, executions: 1}}
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SCENARIO)


def faultbed(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


Runs = Callable[[Task], CellResult]


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> Callable[[Runs], list[Task]]:
    """Replace the running of cells by a function of the task; -> the tasks that were asked for."""

    def prepare(make: Runs) -> list[Task]:
        asked: list[Task] = []

        def run_cells(
            wanted: Sequence[Task], _r: object, _j: int, _s: object, done: Callable[[CellResult], None]
        ) -> None:
            for task in wanted:
                asked.append(task)
                done(make(task))

        monkeypatch.setattr("orchestrator.sweep.cells.run_cells", run_cells)
        return asked

    return prepare


def test_the_first_page_says_how_to_begin() -> None:
    page = faultbed("--help")
    assert page.exit_code == 0
    assert "faultbed run rpc/demo" in page.output
    assert faultbed("--version").output.startswith("faultbed, version ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "small.yaml", "--jobs", "0"],
        ["run", "small.yaml", "--backend", "cloud"],
        ["run", "small.yaml", "--only", "nonsense"],
        ["run", "small.yaml", "--only", "semantics=most"],
        ["run", "absent.yaml"],
        ["run", "small.yaml", "copy.yaml"],
        ["show", "rpc/absent"],
        ["check", "absent"],
        ["check", "."],
        ["export", "small.yaml"],
        ["frobnicate"],
        ["--frobnicate"],
    ],
)
def test_bad_usage_is_4_and_starts_nothing(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "copy.yaml").write_text(SCENARIO)
    done = faultbed(*arguments)
    assert done.exit_code == 4
    assert done.stderr
    assert not (tmp_path / "results").exists()


def test_a_bad_scenario_is_4_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(SCENARIO.replace("[1]", "[9]"))
    done = faultbed("run", "bad.yaml")
    assert done.exit_code == 4
    assert done.stderr.startswith("faultbed: bad.yaml:5: faults[0].operations: operation 9 of 4 calls")


def test_a_run_tells_each_cell_and_keeps_everything(tmp_path: Path) -> None:
    done = faultbed("run", "small.yaml", "--backend", "sim", "--junit", "reports/junit.xml", "--jobs", "2")
    assert done.exit_code == 1  # maybe does not get through
    lines = done.stdout.splitlines()
    assert sum(line.startswith("UNMET ") for line in lines) == 1
    assert sum(line.startswith("met ") for line in lines) == 1
    assert "\x1b" not in done.output
    run = tmp_path / "results" / "small" / "latest"
    assert {path.name for path in (run / "maybe").iterdir()} >= {"plan.json", "history.msgpack", "verdicts.json"}
    summary = json.loads((run / "summary.json").read_text())
    assert [cell["cell"] for cell in summary["cells"]] == ["semantics=maybe", "semantics=exactly-once"]
    assert (tmp_path / "reports" / "junit.xml").exists()


def test_a_summary_says_what_made_it(tmp_path: Path) -> None:
    begun = datetime.now(UTC)
    faultbed("run", "small.yaml", "--backend", "sim", "--seed", "5")
    summary = json.loads((tmp_path / "results/small/latest/summary.json").read_text())
    made_by = summary["made_by"]
    assert made_by["version"] == version("faultbed")
    assert made_by["code"] == digest(EVERYTHING)
    assert made_by["command"] == [Path(sys.argv[0]).name, *sys.argv[1:]]
    assert made_by["seed"] == 5
    assert platform.python_version() in made_by["python"]
    assert platform.release() in made_by["kernel"]
    assert made_by["cpu"]
    assert made_by["docker"] is None
    assert begun - timedelta(seconds=1) < datetime.fromisoformat(made_by["started"]) < datetime.now(UTC)
    assert made_by["seconds"] >= 0


def test_a_recorded_run_is_judged_again_with_the_same_verdict() -> None:
    ran = faultbed("run", "small.yaml", "--backend", "sim", "--only", "semantics=exactly-once")
    assert ran.exit_code == 0
    checked = faultbed("check", "results/small/latest")
    assert checked.exit_code == 0
    assert "met " in checked.output


def test_a_run_that_was_cut_short_is_judged_as_far_as_it_came_and_is_not_0(tmp_path: Path) -> None:
    faultbed("run", "small.yaml", "--backend", "sim", "--only", "semantics=exactly-once", "--repeat", "3")
    run = (tmp_path / "results/small/latest").resolve()
    assert faultbed("check", str(run)).exit_code == 0
    (run / "exactly-once_repeat=2" / "history.msgpack").unlink()
    shutil.rmtree(run / "exactly-once_repeat=3")
    for path in (str(run), "results"):
        checked = faultbed("check", path)
        assert checked.exit_code == 2
        told = checked.output[checked.output.index("Cut short") :]
        assert "small/" in told
        assert ": 1 of 3 cell runs are there" in told
        assert "semantics=exactly-once repeat=2: begun, and left no history" in told
        assert "semantics=exactly-once repeat=3: not begun, or removed" in told
        assert "1 cell runs: 1 met" in told
    assert faultbed("check", str(run / "exactly-once")).exit_code == 0
    lost = faultbed("check", str(run / "exactly-once_repeat=2"))
    assert lost.exit_code == 4
    assert "ended before its evidence was collected" in lost.output


def test_a_run_that_was_cut_short_before_its_first_cell_ended(tmp_path: Path) -> None:
    faultbed("run", "small.yaml", "--backend", "sim", "--only", "semantics=exactly-once")
    shutil.rmtree((tmp_path / "results/small/latest").resolve() / "exactly-once")
    checked = faultbed("check", "results")
    assert checked.exit_code == 2
    assert ": 0 of 1 cell runs are there" in checked.output


def test_what_is_unmet_is_worse_than_what_is_not_there(tmp_path: Path) -> None:
    faultbed("run", "small.yaml", "--backend", "sim", "--only", "semantics=maybe", "--repeat", "2")
    shutil.rmtree((tmp_path / "results/small/latest").resolve() / "maybe_repeat=2")
    assert faultbed("check", "results").exit_code == 1


def test_a_cell_that_is_there_twice_under_the_name_of_another_is_refused(tmp_path: Path) -> None:
    faultbed("run", "small.yaml", "--backend", "sim")
    run = (tmp_path / "results/small/latest").resolve()
    shutil.rmtree(run / "maybe")
    shutil.copytree(run / "exactly-once", run / "maybe")
    for command in ("check", "replay", "export"):
        done = faultbed(command, str(run))
        assert done.exit_code == 4
        (told,) = done.stderr.splitlines()
        assert told.endswith(
            "/maybe: it holds the cell semantics=exactly-once; expected semantics=maybe, whose folder this is"
        )


def test_check_says_where_nobody_knows_what_a_run_was_to_have(tmp_path: Path) -> None:
    faultbed("run", "small.yaml", "--backend", "sim", "--only", "semantics=exactly-once", "--repeat", "2")
    run = (tmp_path / "results/small/latest").resolve()
    (run / "due.json").unlink()
    shutil.rmtree(run / "exactly-once_repeat=2")
    checked = faultbed("check", str(run))
    assert checked.exit_code == 2
    assert ": 1 of 2 cell runs are there" in checked.output
    (run / "summary.json").unlink()
    checked = faultbed("check", str(run))
    assert checked.exit_code == 0
    told = checked.output[checked.output.index("Not checked:") :]
    assert "without due.json nobody knows how many cell runs it was to have" in told


def test_a_repeat_that_is_judged_again_says_which_it_is() -> None:
    faultbed("run", "small.yaml", "--backend", "sim", "--only", "semantics=exactly-once", "--repeat", "2")
    assert "exactly-once repeat=2 seed=2" in faultbed("check", "results").output


def test_a_load_that_was_too_short_is_told_and_judged_alike_again(tmp_path: Path) -> None:
    text = SCENARIO.replace("{service: counter}", "{service: counter, yields: 50ms}").replace("calls: 4", "calls: 40")
    (tmp_path / "small.yaml").write_text(text + "load: 400ms\nsettle: 20s\n")
    ran = faultbed("run", "small.yaml", "--backend", "sim", "--only", "semantics=exactly-once")
    assert ran.exit_code == 2
    assert "of 38 calls that were to come before heal were not invoked by then" in ran.output
    assert "Phases that were ended by their caps:" in ran.output
    run = tmp_path / "results/small/latest"
    assert json.loads((run / "summary.json").read_text())["cells"][0]["caps"][0]["phase"] == "load"
    checked = faultbed("check", "results")
    assert checked.exit_code == 2
    assert checked.output.splitlines()[0].partition("bitten")[2] == ran.output.splitlines()[0].partition("bitten")[2]


def test_an_export_is_an_event_a_line() -> None:
    faultbed("run", "small.yaml", "--backend", "sim")
    lines = faultbed("export", "results/small/latest/exactly-once").stdout.splitlines()
    assert {"type", "node", "time"} <= set(json.loads(lines[0]))


def test_an_export_of_several_cells_says_in_each_line_which_it_is_of() -> None:
    faultbed("run", "small.yaml", "--backend", "sim", "--repeat", "2")
    lines = [json.loads(line) for line in faultbed("export", "results/small/latest").stdout.splitlines()]
    told = {(line["scenario"], line["cell"], line["repeat"], line["folder"]) for line in lines}
    folders = {"maybe": ("maybe", "maybe_repeat=2"), "exactly-once": ("exactly-once", "exactly-once_repeat=2")}
    assert told == {
        ("small", f"semantics={value}", repeat, f"results/small/latest/{folder}")
        for value, names in folders.items()
        for repeat, folder in enumerate(names, 1)
    }


def test_a_history_that_was_taken_out_of_its_run_is_exported(tmp_path: Path) -> None:
    faultbed("run", "small.yaml", "--backend", "sim", "--only", "semantics=exactly-once")
    (tmp_path / "results/small/latest/exactly-once/history.msgpack").rename(tmp_path / "history.msgpack")
    lines = faultbed("export", "history.msgpack").stdout.splitlines()
    assert json.loads(lines[0])["folder"] == "."


def test_a_history_that_was_cut_off_is_4(tmp_path: Path) -> None:
    faultbed("run", "small.yaml", "--backend", "sim")
    history = tmp_path / "results" / "small" / "latest" / "maybe" / "history.msgpack"
    history.write_bytes(history.read_bytes()[:-5])
    for command in ("check", "export"):
        done = faultbed(command, str(history))
        assert done.exit_code == 4
        assert "history.msgpack" in done.stderr


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda task: result(task.cell), 0),
        (lambda task: result(task.cell, judgement(Outcome("ok", 2), verdict=Met.UNMET)), 1),
        (lambda task: result(task.cell, judgement(verdict=Met.INCONCLUSIVE)), 2),
        (lambda task: result(task.cell, error="would not start"), 3),
        (lambda task: result(task.cell, interrupted=True), 130),
    ],
)
def test_exit_codes(make: Runs, code: int, prepared: Callable[[Runs], list[Task]]) -> None:
    prepared(make)
    assert faultbed("run", "small.yaml").exit_code == code


def test_ctrl_c_keeps_what_was_done(prepared: Callable[[Runs], list[Task]], tmp_path: Path) -> None:
    def make(task: Task) -> CellResult:
        if task.cell.axes["semantics"] == "exactly-once":
            raise KeyboardInterrupt
        return result(task.cell)

    prepared(make)
    assert faultbed("run", "small.yaml").exit_code == 130
    assert len(json.loads((tmp_path / "results/small/latest/summary.json").read_text())["cells"]) == 1


def test_repeats_take_the_next_seeds(prepared: Callable[[Runs], list[Task]]) -> None:
    asked = prepared(lambda task: result(task.cell))
    assert faultbed("run", "small.yaml", "--seed", "7", "--repeat", "3").exit_code == 0
    assert [(task.cell.seed, task.repeat) for task in asked] == [(7, 1), (7, 1), (8, 2), (8, 2), (9, 3), (9, 3)]


def test_the_last_seed_is_followed_by_the_first() -> None:
    assert [task.cell.seed for task in Tasks(CELLS[:1], 2**63 - 1, 2)] == [2**63 - 1, 0]


def test_only_selects_by_axis_values() -> None:
    plan = expand(SCENARIO, "f")
    assert [cell.cell for cell in selected([plan], "semantics=maybe")] == ["semantics=maybe"]
    assert len(selected([plan], None)) == 2
    with pytest.raises(click.UsageError, match="no such cell"):
        selected([plan], "semantics=most")


def test_nothing_but_cells_that_do_not_apply() -> None:
    done = faultbed("run", "rpc/15-budget-spent", "--only", "semantics=maybe")
    assert done.exit_code == 4
    assert "nothing to run: makes one attempt" in done.stderr


def test_an_engine_that_cannot_run_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.backends.refusals.availability", lambda name: "no such system call")
    cell = expand(SCENARIO, "f.yaml").cells[0]
    found = next(named("local").problems(cell))
    assert found.path == ("nodes", "server", "engine")
    assert "cannot run here: no such system call" in found.message
    assert next(named("sim").problems(cell), None) is None


@pytest.mark.parametrize("backend", ["local", "docker"])
def test_more_workers_than_an_engine_has_are_refused(backend: str) -> None:
    def first(engine: str, workers: int) -> Any:
        node = f"service: counter, engine: {engine}, workers: {workers}"
        cell = expand(SCENARIO.replace("service: counter", node), "f.yaml").cells[0]
        return next((each for each in named(backend).problems(cell) if each.path[-1] == "workers"), None)

    assert first("epoll_exclusive", MOST) is None
    assert first("epoll", 2).message == "engine epoll has 1 of the 2 workers; expected epoll_exclusive"
    assert first("epoll_exclusive", MOST + 1).message.endswith(f"has {MOST} of the {MOST + 1} workers; expected fewer")


def test_list_names_what_show_shows() -> None:
    names = tuple(line.split()[0] for line in faultbed("list").stdout.splitlines())
    assert names == shipped.names()
    shown = faultbed("show", "rpc/05-duplicate-after-trim").stdout
    assert "scenario: 05-duplicate-after-trim" in shown
    assert "not applicable: keeps no history" in shown


def test_every_run_of_every_cell_has_a_folder_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(
        SCENARIO.replace("semantics: [maybe, exactly-once]", "loss: [0, 0.2]").replace("${semantics}", "exactly-once")
    )
    faultbed("run", "small.yaml", "--backend", "sim", "--repeat", "3")
    folders = [path.name for path in (tmp_path / "results/small/latest").iterdir() if path.is_dir()]
    assert sorted(folders) == ["0", "0.2", "0.2_repeat=2", "0.2_repeat=3", "0_repeat=2", "0_repeat=3"]


def test_a_folder_means_every_scenario_in_it(tmp_path: Path) -> None:
    assert [plan.scenario for plan in shipped.plans([str(tmp_path), "small.yaml"])] == ["small"]
    assert len(shipped.plans(["rpc"])) == len(TABLE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadScenario, match="no scenario in this folder"):
        shipped.find("empty")


def test_schema_is_json() -> None:
    assert json.loads(faultbed("schema").stdout)["title"] == "A Faultbed scenario"


def test_doctor_finds_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise SessionError("no Docker engine can be used here: nothing answers")

    monkeypatch.setattr("orchestrator.backends.docker.findings.connect", refuse)
    done = faultbed("doctor")
    assert done.exit_code == 0, "local runs need no engine"
    lines = [line.split(maxsplit=2) for line in done.output.splitlines()]
    assert ["no", "docker", "no Docker engine can be used here: nothing answers"] in lines
    assert {"python", "docker", "toxiproxy", "netfilter", "netem"} <= {line[1] for line in lines}


def test_clean_says_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "leftovers", list)
    monkeypatch.setattr("orchestrator.commands.clean._folders", Swept)
    monkeypatch.setattr("orchestrator.commands.clean.backends", lambda: ())
    done = faultbed("clean")
    assert done.exit_code == 0
    assert done.output == "nothing was left behind\n"


def test_the_table_expects_something_of_each_cell() -> None:
    for name in TABLE:
        for cell in load(shipped.find(name)[0]).cells:
            expect = cell.expect
            assert cell.not_applicable or (expect.bitten and expect.others and expect.delivery)
            maybe = cell.links[0].semantics == "maybe"
            assert cell.not_applicable or maybe or expect.seen
