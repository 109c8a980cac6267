"""`faultbed replay` as it is called: what it says of a recorded run, and what it refuses with one message."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import small
from running import in_process

from orchestrator.history.file import dump
from orchestrator.sweep.store import read_history

STOPPED = """\
scenario: stopped
nodes:
  server: {service: counter}
  client: {workload: add, calls: 4}
links:
  - {from: client, to: server, semantics: exactly-once}
faults:
  - {pause: server, at: received, operation: 2, lasts: 50ms}
expect:
  others: {client: ok, executions: 1}
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the small scenario, each cell twice."""
    return small.recorded(tmp_path_factory.mktemp("recorded"), small.SCENARIO, "--repeat", "2")


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it, to be harmed."""
    shutil.copytree(recorded, tmp_path / "run")
    return tmp_path / "run"


def refused(cwd: Path, *arguments: str) -> str:
    """The one message; nothing was begun."""
    code, out, err = in_process(cwd, "replay", *arguments)
    assert (code, out) == (4, "")
    assert err.count("faultbed: ") == 1
    assert "Traceback" not in err
    assert not (cwd / "results").exists()
    return err.removeprefix("faultbed: ").rstrip("\n")


def test_a_run_is_replayed_and_its_evidence_says_so(run: Path, tmp_path: Path) -> None:
    code, out, _ = in_process(tmp_path, "replay", "run", "--backend", "sim", "--junit", "junit.xml")
    assert code == 0
    assert "4 runs: 4 of 4 entries of the log applied, 0 never came; 0 messages passed that it does not know" in out
    assert "4 cell runs: 4 met" in out
    assert "faultbed check results/small/latest" in out
    assert 'name="replayed" value="1 of 1 entries of the log applied' in (tmp_path / "junit.xml").read_text()
    made = tmp_path / "results" / "small" / "latest"
    cells = sorted(folder.name for folder in made.iterdir() if folder.is_dir())
    assert cells == ["exactly-once", "exactly-once_repeat=2", "maybe", "maybe_repeat=2"]
    assert json.loads((made / "maybe" / "plan.json").read_text())["log"]["run"] == "run/maybe"
    assert json.loads((made / "summary.json").read_text())["cells"][0]["replayed"]["applied"] == 1
    assert in_process(tmp_path, "check", "results/small/latest")[0] == 0
    code, out, _ = in_process(tmp_path, "replay", "results/small/latest/maybe", "--backend", "sim", "--out", "again")
    assert code == 0
    assert "replayed=1/1 unknown=0" in out


@pytest.mark.parametrize("cell", [False, True])
def test_what_was_replayed_keeps_its_name_when_latest_is_the_replay(cell: bool, tmp_path: Path, recorded: Path) -> None:
    of_it = Path("results", "small", "at-first", *(["maybe"] if cell else []))
    shutil.copytree(recorded, tmp_path / "results/small/at-first")
    (tmp_path / "results/small/latest").symlink_to("at-first")
    code, out, _ = in_process(
        tmp_path, "replay", str(Path("results", "small", "latest", *of_it.parts[3:])), "--backend", "sim"
    )
    assert code == 0
    assert f"faultbed check {of_it}   what was replayed" in out
    made = tmp_path / "results/small/latest/maybe"
    assert json.loads((made / "plan.json").read_text())["log"]["run"] == "results/small/at-first/maybe"


def test_what_never_comes_is_exit_code_2(run: Path, tmp_path: Path) -> None:
    """The replay's own plan is edited, and its history is of none: what is judged again is what lies there."""
    assert in_process(tmp_path, "replay", "run/maybe", "--backend", "sim", "--out", "made")[0] == 0
    folder = tmp_path / "made" / "small" / "latest" / "maybe"
    plan = folder / "plan.json"
    text = plan.read_text()
    assert "client -> server request 10101 1 1 1" in text
    plan.write_text(text.replace("client -> server request 10101 1 1 1", "client -> server request 10101 1 9 1"))
    history = folder / "history.msgpack"
    history.write_bytes(dump(read_history(history)._replace(plan="")))
    code, out, _ = in_process(tmp_path, "check", "made/small/latest")
    assert code == 2
    assert "replay inconclusive: 1 of 1 entries of the log never came: drop the request of attempt 9" in out


def test_a_folder_that_holds_no_run_is_refused(run: Path, tmp_path: Path) -> None:
    assert refused(tmp_path, "nowhere").startswith("nowhere: there is no such folder or file")
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path, "empty") == (
        "empty: no history.msgpack in it; expected a run's folder, such as results/demo/latest"
    )
    assert refused(tmp_path, "/dev/null") == (
        "/dev/null: it is a device; expected a run's folder, such as results/demo/latest"
    )
    (tmp_path / "file").write_text("x")
    assert refused(tmp_path, "file").startswith("file: byte 0")


def test_a_part_of_a_run_is_refused_and_a_cell_of_it_is_not(run: Path, tmp_path: Path) -> None:
    shutil.rmtree(run / "maybe")
    assert refused(tmp_path, "run", "--backend", "sim") == (
        "run: it was cut short: 3 of 4 cell runs are there; expected a whole run, or the folder of one of its cells"
    )
    assert in_process(tmp_path, "replay", "run/exactly-once_repeat=2", "--backend", "sim")[0] == 0


def test_several_runs_are_refused(run: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(run, tmp_path / "runs" / name)
    assert refused(tmp_path, "runs", "--backend", "sim") == (
        "runs: it holds 2 runs; expected one of them, such as runs/one"
    )


def test_another_plan_than_the_runs_is_refused(run: Path, tmp_path: Path) -> None:
    plan = run / "maybe" / "plan.json"
    plan.write_text(plan.read_text().replace('"calls": 4', '"calls": 5'))
    assert refused(tmp_path, "run", "--backend", "sim") == (
        "run/maybe: its history is of another plan than its plan.json; put back the plan of this run"
    )


def test_what_an_older_version_recorded_is_refused(run: Path, tmp_path: Path) -> None:
    history = run / "maybe" / "history.msgpack"
    history.write_bytes(dump(read_history(history)._replace(plan="")))
    assert refused(tmp_path, "run", "--backend", "sim") == (
        "run/maybe: an older version recorded it, without saying of which plan it is; run it again"
    )


def test_a_run_without_its_end_is_refused(run: Path, tmp_path: Path) -> None:
    path = run / "maybe" / "history.msgpack"
    history = read_history(path)
    path.write_bytes(dump(history._replace(events=history.events[: len(history.events) // 2])))
    assert refused(tmp_path, "run/maybe", "--backend", "sim") == (
        "run/maybe: it cannot be replayed: the run did not reach its end (its last phase was heal)"
    )


def test_a_backend_that_cannot_do_what_was_done_refuses(tmp_path: Path) -> None:
    limited = STOPPED.replace("service: counter", "service: counter, limits: {files: 256}")
    (tmp_path / "stopped.yaml").write_text(limited)
    assert in_process(tmp_path, "run", "stopped.yaml", "--out", "runs")[0] in (0, 2)
    run = (tmp_path / "runs/stopped/latest").readlink()
    assert refused(tmp_path, "runs/stopped/latest", "--backend", "sim").startswith(
        f"runs/stopped/{run}: nodes.server.limits: --backend sim cannot limit the files"
    )
    code, out, _ = in_process(tmp_path, "replay", "runs/stopped/latest")
    assert code in (0, 2)
    assert "1 of 1 entries of the log applied" in out


def test_a_stop_at_a_failpoint_is_replayed_in_the_simulator_too(tmp_path: Path) -> None:
    (tmp_path / "stopped.yaml").write_text(STOPPED)
    assert in_process(tmp_path, "run", "stopped.yaml", "--out", "runs", "--backend", "sim")[0] in (0, 2)
    code, out, _ = in_process(tmp_path, "replay", "runs/stopped/latest", "--backend", "sim")
    assert code in (0, 2)
    assert "1 of 1 entries of the log applied" in out
