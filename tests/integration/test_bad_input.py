"""What the command is given and cannot use: one message that says where and what, exit code 4, nothing begun."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import small
from running import in_process

from nodes.wire.record import Kind
from orchestrator.history.file import dump
from orchestrator.sweep.store import read_history

UNMET = "  bitten: {client: ok, executions: 1}"
SCENARIO = small.SCENARIO.replace(small.MET, UNMET)
NEVER = """\
scenario: never
nodes:
  server: {service: counter}
  client: {workload: add, calls: 4}
links:
  - {from: client, to: server, semantics: exactly-once}
faults:
  - {drop: request, link: client -> server, operations: [1], attempt: 9}
expect:
  others: {client: ok, executions: 1}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("service: counter", "servise: counter", ":4: nodes.server"),
        ("calls: 4", "calls: many", ":5: nodes.client.calls"),
        ("calls: 4", "calls: 4, clients: 1000", ":5: nodes.client.clients"),
        ("link: client -> server, op", "link: client -> moon, op", ":9: faults[0].link"),
        ("operations: [1]", "operations: [1], loss: 10", ":9: faults[0]"),
        ("drop: request", "lose: packets", ":9: faults[0]"),
        ("operations: [1]", "operations: [9]", ":9: faults[0].operations"),
        ("[maybe, exactly-once]", "[maybe, exactly-twice]", ":7: links[0].semantics"),
        (UNMET, "  {}", ":11: expect"),
        ("scenario: small", "scenario: [small", ":"),
        ("scenario: small", "scenario: ../../small", ":1: scenario"),
    ],
)
def test_a_bad_scenario_is_one_message_and_nothing_is_begun(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SCENARIO
    (tmp_path / "bad.yaml").write_text(SCENARIO.replace(old, new))
    (tmp_path / "good.yaml").write_text(NEVER)
    code, out, err = in_process(tmp_path, "run", "good.yaml", "bad.yaml")
    assert (code, out) == (4, "")
    assert err.startswith(f"faultbed: bad.yaml{said}")
    assert err.count("faultbed: ") == 1
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.yaml", "good.yaml"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded run."""
    return small.recorded(tmp_path_factory.mktemp("recorded"), SCENARIO)


@pytest.fixture
def run(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it, to be harmed; -> a cell's folder."""
    shutil.copytree(recorded, tmp_path / "run" / "latest")
    return tmp_path / "run" / "latest" / "maybe"


@pytest.mark.parametrize("command", ["check", "export"])
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda data: data[: len(data) // 2], "byte "),
        (lambda data: data[:-1], "byte "),
        (lambda data: b"", "byte 0: the file ends in its header"),
        (lambda data: b"\x7fELF" + data, "byte 0: not a history"),
        (lambda data: data.replace(b"client", b"cliemt"), "the checksum does not match"),
        (lambda data: data + b"\x00", "1 bytes follow the footer"),
    ],
)
def test_a_truncated_or_foreign_history_is_named_with_the_place(
    run: Path, tmp_path: Path, command: str, harm: object, said: str
) -> None:
    history = run / "history.msgpack"
    assert callable(harm)
    history.write_bytes(harm(history.read_bytes()))
    code, _, err = in_process(tmp_path, command, "run/latest")
    assert code == 4
    assert err.startswith("faultbed: run/latest/maybe/history.msgpack: ")
    assert said in err
    assert err.count("\n") == 1
    assert in_process(tmp_path, command, "run/latest/maybe/history.msgpack")[0] == 4


def test_a_cell_without_its_plan_cannot_be_judged(run: Path, tmp_path: Path) -> None:
    plan = run / "plan.json"
    plan.write_text(plan.read_text().replace('"semantics": "maybe"', '"semantics": "always"'))
    code, _, err = in_process(tmp_path, "check", "run/latest")
    assert code == 4
    assert err.startswith("faultbed: run/latest/maybe/plan.json: links.0.Link.semantics: ")
    plan.unlink()
    code, _, err = in_process(tmp_path, "check", "run/latest")
    assert code == 4
    assert err.startswith("faultbed: run/latest/maybe/plan.json: cannot be read: ")


def test_a_history_that_a_checker_crashes_over_is_the_testbeds_failure(run: Path, tmp_path: Path) -> None:
    """Of a cell that is unmet: nothing that is there may say so any more."""
    assert in_process(tmp_path, "check", "run/latest/maybe")[0] == 1
    path = run / "history.msgpack"
    history = read_history(path)
    broken = tuple(event._replace(detail={}) if event.kind is Kind.DECISION else event for event in history.events)
    path.write_bytes(dump(history._replace(events=broken)))
    code, out, err = in_process(tmp_path, "check", "run/latest/maybe")
    assert (code, err) == (3, "")
    assert "a checker crashed: KeyError: 'rule' (decisions_are_their_faults, " in out
    assert "relay journalled DECISION of client 10101, and its link is missing" in out


def test_a_history_under_another_plan_is_the_testbeds_failure(run: Path, tmp_path: Path) -> None:
    assert "Not checked:" not in in_process(tmp_path, "check", "run/latest")[1]
    plan = run / "plan.json"
    edited = plan.read_text().replace('"calls": 4', '"calls": 5')
    for other in (edited, plan.read_text() + " "):
        plan.write_text(other)
        code, out, err = in_process(tmp_path, "check", "run/latest/maybe")
        assert (code, err) == (3, "")
        assert "evidence: the history is of another plan than the one beside it (plan.json), or that was changed" in out
    shutil.copy(run.parent / "exactly-once" / "plan.json", plan)
    code, out, err = in_process(tmp_path, "check", "run/latest/maybe")
    assert (code, out) == (4, "")
    assert "maybe: it holds the cell semantics=exactly-once; expected semantics=maybe, whose folder this is" in err


def test_a_folder_that_cannot_be_made_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "never.yaml").write_text(NEVER)
    (tmp_path / "file").write_text("")
    code, out, err = in_process(tmp_path, "run", "never.yaml", "--out", "file/results")
    assert (code, out) == (4, "")
    assert "--out file/results: file/results/never: Not a directory" in err


def verdicts(out: str) -> dict[str, str]:
    """Scenario and cell -> verdict, of the lines that a run and a check begin with."""
    lines = [line.split() for line in out.partition("\n\n")[0].splitlines()]
    return {f"{words[1]} {words[2]}": words[0] for words in lines}


def test_a_check_gives_the_runs_verdicts_and_exit_codes(tmp_path: Path) -> None:
    """Real processes; 0 where all is met, 2 where a fault did not bite, 1 where an expectation is unmet."""
    (tmp_path / "small.yaml").write_text(SCENARIO)
    (tmp_path / "never.yaml").write_text(NEVER)
    met = in_process(tmp_path, "run", "small.yaml", "--only", "semantics=exactly-once", "--out", "met")
    inconclusive = in_process(tmp_path, "run", "never.yaml", "--out", "inconclusive")
    every = in_process(tmp_path, "run", "small.yaml", "never.yaml", "--jobs", "2", "--out", "every")
    assert [code for code, _, _ in (met, inconclusive, every)] == [0, 2, 1]
    assert verdicts(every[1]) == {
        "small semantics=maybe": "UNMET",
        "small semantics=exactly-once": "met",
        "never -": "inconclusive",
    }
    for folder, ran in (("met", met), ("inconclusive", inconclusive), ("every", every)):
        latest = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / folder).glob("*/latest"))
        checked = [in_process(tmp_path, "check", path) for path in latest]
        again = {name: verdict for _, out, _ in checked for name, verdict in verdicts(out).items()}
        assert again == verdicts(ran[1])
    assert in_process(tmp_path, "check", "every")[0] == 1
