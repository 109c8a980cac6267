"""`faultbed explore` as its users call it."""

from __future__ import annotations

import contextlib
import errno
import io
import re
import signal
from pathlib import Path

import pytest
from running import Running, in_process, until

from orchestrator.commands.explore import Chosen, explore
from orchestrator.report.result import Exit

ORDERS = Path(__file__).parents[2] / "examples/orders/crash.yaml"
RUN_ALONE = """
scenario: alone
nodes:
  server: {service: counter}
  client: {workload: add, calls: 3}
links:
  - {from: client, to: server, semantics: exactly-once, via: direct}
expect:
  others: {client: ok, executions: 1}
"""


def explored(cwd: Path, *arguments: str) -> tuple[int, list[str]]:
    code, out, _ = in_process(cwd, "explore", *arguments, "--no-real")
    return code, out.splitlines()


def test_a_variant_is_convicted_and_its_scenario_does_it_again(tmp_path: Path) -> None:
    code, lines = explored(tmp_path, "--mutant", "no-duplicate-filter", "--runs", "64")
    assert code == Exit.UNMET
    assert any(line.startswith("no-duplicate-filter: once, reference after ") for line in lines)
    (found,) = (tmp_path / "results/found").iterdir()
    assert any(str(found.relative_to(tmp_path)) in line for line in lines)
    code, out, _ = in_process(tmp_path, "run", str(found), "--backend", "sim")
    assert code == Exit.UNMET
    assert "once" in out


def test_what_is_found_is_tried_on_real_sockets(tmp_path: Path) -> None:
    code, out, err = in_process(tmp_path, "explore", "--mutant", "no-duplicate-filter", "--runs", "64")
    assert code == Exit.UNMET, out + err
    (told,) = (line for line in out.splitlines() if "on real sockets" in line)
    assert told.startswith("  on real sockets: the same: ")


def test_what_cannot_be_kept_is_told_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "it cannot be written: No space left on device", "results/found/one.yaml")

    with monkeypatch.context() as disk:
        disk.setattr("orchestrator.commands.explore.kept", full)
        code, lines = explored(tmp_path, "--mutant", "no-duplicate-filter", "--runs", "64")
    assert code == Exit.TESTBED
    found, said, unkept, ending = lines[-4:]
    assert "is violated (once)" in said
    assert unkept.startswith("  not kept: results/found/one.yaml: it cannot be written: No space left on device")
    assert ending.startswith("surprised: 1 kind")
    (runs,) = re.findall("--runs ([0-9]+)", unkept)
    code, again = explored(tmp_path, "--mutant", "no-duplicate-filter", "--runs", runs)
    assert code == Exit.UNMET
    assert found in again


class Interrupting(io.StringIO):
    """Standard output of a command that is sent SIGINT as soon as it says this."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self._said = said

    def write(self, text: str) -> int:
        if self._said in text:
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def test_ctrl_c_while_it_shrinks_keeps_what_was_reached(tmp_path: Path) -> None:
    out = Interrupting("reference after ")
    with contextlib.chdir(tmp_path), contextlib.redirect_stdout(out):
        code = explore(Chosen(None, None, 64, 1, 2, "no-duplicate-filter", None, True))
    assert code == Exit.INTERRUPTED
    lines = out.getvalue().splitlines()
    (found,) = (tmp_path / "results/found").iterdir()
    (told,) = (line for line in lines if "cut short" in line)
    assert told.startswith("  shrinking was cut short after 0 runs, at ")
    assert told.endswith(f": results/found/{found.name}")
    assert not [line for line in lines if "on real sockets" in line]
    assert re.fullmatch(r"surprised: 1 kind of surprise in \d+ runs", lines[-1])
    assert in_process(tmp_path, "run", str(found), "--backend", "sim")[0] == Exit.UNMET


def test_nothing_surprises_and_the_bound_is_told(tmp_path: Path) -> None:
    code, lines = explored(tmp_path, "--runs", "16")
    assert code == Exit.MET
    assert lines[0].startswith("16 runs of the product's own mechanisms in ")
    assert lines[-1] == "nothing surprised: with 95 % confidence at most 0.19 of such runs do (3/16)"


@pytest.mark.parametrize("given", ["rpc/02-reply-lost", "rpc"])
def test_a_scenario_of_right_mechanisms_surprises_under_no_faults_of_its_words(tmp_path: Path, given: str) -> None:
    code, lines = explored(tmp_path, given, "--runs", "48")
    assert code == Exit.MET
    assert lines[0].startswith(f"48 runs of {given} in ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["alone.yaml"], "none of its faults varies: it has no faults; expected one of corrupt, cut, "),
        (["containers/01-request-lost-timeout"], "it cannot be explored, which the simulator does: the simulator has"),
        (
            [str(ORDERS)],
            "the programs of a compose project run on real sockets alone; expected a scenario with nodes of",
        ),
        (["faults/pause"], "nodes.client.gates.3: 'frozen on': no fault has the name 'frozen'"),
        (["rpc/demo", "--mutant", "no-join"], "expected no scenario beside it"),
        (["--mutant", "no-joint"], "(did you mean no-join?)"),
        (["--minutes", "0"], "--minutes"),
        (["--minutes", "nan"], "--minutes"),
        (["--backend", "local"], "expected sim"),
        (["nobody"], "there is no such scenario"),
    ],
)
def test_what_cannot_be_explored_is_one_message(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "alone.yaml").write_text(RUN_ALONE)
    code, out, err = in_process(tmp_path, "explore", *arguments)
    assert code == Exit.USAGE
    assert said in " ".join(err.split())
    assert not out


def test_whoever_makes_the_runs_and_however_many_they_are_the_same(tmp_path: Path) -> None:
    told = []
    for jobs in ("1", "2"):
        with Running(tmp_path, "explore", "--runs", "70", "--jobs", jobs) as running:
            out, err = running.process.communicate(timeout=100)
            assert running.process.returncode == Exit.MET, err
            told.append(out.splitlines()[1:])
    assert told[0] == told[1]


@pytest.mark.parametrize("least", [1, 3])
def test_ctrl_c_tells_what_was_covered_and_leaves_nobody(tmp_path: Path, least: int) -> None:
    """A terminal gives it to all, also to those that have just been started."""
    with Running(tmp_path, "explore", "--minutes", "60", "--jobs", "2") as running:
        until(lambda: len(running.family()) >= least, "workers")
        for process in (*running.family(), running.process):
            process.send_signal(signal.SIGINT)
        out, err = running.process.communicate(timeout=100)
        assert (running.process.returncode, err) == (Exit.INTERRUPTED, "")
        assert "runs of the product's own mechanisms" in out
        until(lambda: not running.family(), "the workers' end")


def test_a_worker_that_is_killed_is_told_with_what_was_covered_and_leaves_nobody(tmp_path: Path) -> None:
    with Running(tmp_path, "explore", "--minutes", "60", "--jobs", "2") as running:
        until(lambda: len(running.family()) >= 3, "workers")
        worker, _ = (one for one in running.family() if any("spawn_main" in word for word in one.cmdline()))
        worker.kill()
        code, out, err = running.end()
        assert code == Exit.TESTBED
        (told,) = err.splitlines()
        assert told.startswith("faultbed: one of the 2 processes that make runs was killed by SIGKILL")
        assert "runs of the product's own mechanisms" in out
        assert "covered: " in out
        until(lambda: not running.family(), "the workers' end")
