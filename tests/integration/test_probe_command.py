"""`faultbed probe`: what it prints and exports, and what it refuses before anything starts."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from agents import inventory, running_agents, token_file
from running import Running, in_process, until

from nodes import descriptors, engines, probes

if (missing := engines.availability("epoll")) is not None:
    pytest.skip(f"engine epoll: {missing}", allow_module_level=True)

TWO = ("probe", "--engine", "epoll", "--engine", "epoll_edge", "--probe", "undrained")
TABLE = """\
1*  undrained: data that a read has left is told again
                       epoll  epoll_edge
    2000 bytes came    IN     IN
  * 1000 of them read  IN     nothing
    asked anew         IN     IN

2 as expected
"""


def test_two_engines_side_by_side_and_exported(tmp_path: Path) -> None:
    exports = [word for name in ("a.json", "a.csv", "a.md") for word in ("--export", name)]
    assert in_process(tmp_path, *TWO, *exports) == (0, TABLE, "")
    cells = json.loads((tmp_path / "a.json").read_text())["cells"]
    assert [(cell["engine"], cell["verdict"]) for cell in cells] == [
        ("epoll", "as expected"),
        ("epoll_edge", "as expected"),
    ]
    assert len(list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))) == 6
    assert "| 1000 of them read | **IN** | **nothing** |" in (tmp_path / "a.md").read_text()


def test_a_broken_poller_deviates_and_its_trace_is_shown(tmp_path: Path) -> None:
    code, out, err = in_process(tmp_path, "probe", "--broken", "tells-an-edge-twice", "--probe", "undrained")
    assert (code, err) == (1, "")
    assert "undrained on epoll_edge deviates\n  1000 of them read: IN; expected nothing\n  expected by: epoll(7)" in out
    assert "the peer sends 2000 bytes" in out
    assert out.endswith("1 deviates\n")


def test_what_does_not_apply_is_told_with_its_reason(tmp_path: Path) -> None:
    arguments = ("--engine", "epoll_exclusive", "--engine", "poll", "--probe", "exclusive-refusals")
    code, out, _ = in_process(tmp_path, "probe", *arguments)
    assert code == 0
    assert "not applicable: poll: the flag EPOLLEXCLUSIVE is another's" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--engine", "epol"), "--engine epol: there is none of that name; expected asyncio, "),
        (("--engine", "epol"), "(did you mean epoll?)"),
        (("--probe", "undraind"), "(did you mean undrained?)"),
        (("--engine", "busy"), "nothing of that applies"),
        (("--engine", "poll", "--probe", "two-receives"), "two-receives on poll: it is about requests that complete"),
        (("--export", "table.xls"), "expected a file that ends in .json, .csv, .md"),
        (("--export", "nowhere/table.md"), "there is no folder nowhere"),
        (("--broken", "swallows-er"), "(did you mean swallows-err?)"),
        (("--broken", "swallows-err", "--engine", "epoll"), "expected no --engine beside it"),
        (("--jobs", "0"), "--jobs"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_begun(
    tmp_path: Path, arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.probes.performed.performed", None)  # whoever begins fails
    code, out, err = in_process(tmp_path, "probe", *arguments)
    assert (code, out) == (4, "")
    assert said in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_cannot_run_here_is_refused_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "availability", lambda name: "this kernel lacks it" if name == "io_uring" else None)
    code, out, err = in_process(tmp_path, "probe", "--engine", "io_uring")
    assert (code, out) == (4, "")
    assert "--engine io_uring: it cannot run here: this kernel lacks it" in err


def test_too_few_descriptors_are_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "highest", lambda: 1024)
    code, out, err = in_process(tmp_path, "probe", "--probe", "high-descriptor")
    assert (code, out) == (4, "")
    assert "it needs 1533 open files, and a process may have 1024 at most here; raise the hard limit" in err
    code, out, _ = in_process(tmp_path, "probe", "--engine", "epoll", "--probe", "undrained")
    assert code == 0


def test_the_probes_are_listed(tmp_path: Path) -> None:
    code, out, _ = in_process(tmp_path, "probe", "--list")
    assert (code, len(out.split("\n\n")[0].splitlines())) == (0, len(probes.names()))


def test_its_processes_end_with_it_even_when_it_is_killed(tmp_path: Path) -> None:
    with Running(tmp_path, "probe", "--probe", "closed-in-wait", "--jobs", "1") as command:
        until(lambda: bool(command.named("faultbed.part")), "a process of probes")
        command.process.kill()
        command.process.wait()
        until(lambda: not command.family(), "their end")


def test_ctrl_c_ends_it_and_its_processes(tmp_path: Path) -> None:
    with Running(tmp_path, "probe") as command:
        until(lambda: bool(command.named("faultbed.part")), "a process of probes")
        command.process.terminate()
        assert command.process.wait() == 143
        until(lambda: not command.family(), "their end")


def test_on_agents_each_place_is_compared_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running_agents(tmp_path, (), ()) as (alpha, beta):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address, beta=beta.address)
        where = ("--backend", "attach", "--inventory", str(names))
        found = in_process(tmp_path, *TWO, *where)
        exported = in_process(tmp_path, *TWO, *where, "--export", "a.md")
        for agent in (alpha, beta):
            agent.all_gone()
    assert found == (0, f"alpha:\n{TABLE}beta:\n{TABLE}", "")
    assert exported[0] == 4
    assert "--export is of one place, and there are 2: alpha, beta" in exported[2]


def test_in_containers_what_is_forbidden_there_is_left_out(
    docker_engine: object, node_image: str, tmp_path: Path
) -> None:
    """By Docker's own seccomp profile, and for want of privileges."""
    where = ("--backend", "docker", "--image", node_image)
    code, out, err = in_process(tmp_path, "probe", *where, "--probe", "undrained", "--probe", "signal-in-wait")
    assert (code, err) == (0, ""), out
    assert "left out: engine io_uring: io_uring_setup is forbidden here" in out
    assert "1*  undrained: data that a read has left is told again" in out
    code, _, err = in_process(tmp_path, "probe", *where, "--probe", "refused-by-nobody")
    assert code == 4


def test_the_simulator_has_nothing_to_probe(tmp_path: Path) -> None:
    code, out, err = in_process(tmp_path, "probe", "--backend", "sim")
    assert (code, out) == (4, "")
    assert "--backend sim: it has no sockets of a real system" in err
