"""`faultbed probe`: what it prints and exports, and what it refuses before anything starts."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from agents import inventory, running_agents, token_file
from requirements import need, need_root
from running import COMMAND, Running, in_process, until

from nodes import descriptors, engines, probes
from orchestrator.backends import this_machine

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
        (("--engine", "poll", "--probe", "two-receives"), "not applicable: poll: it is about requests that complete"),
        (("--export", "table.xls"), "expected a file that ends in .json, .csv, .md"),
        (("--export", "nowhere/table.md"), "there is no folder nowhere"),
        (("--export", "/proc/table.md"), "expected a file that can be written"),
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


def test_too_few_for_the_command_itself_are_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: 16)
    code, out, err = in_process(tmp_path, *TWO[:-2], "--engine", "poll")
    assert (code, out) == (4, "")
    assert "--jobs 3: it takes 18 open files to start them, and this command may have 16; allow more (ulimit -n" in err


STAND_IN = """\
import json, os, signal, sys
def tell(**line): os.write(1, json.dumps(line).encode() + b"\\n")  # whole, as a probe does
for name in sys.argv[sys.argv.index("--probes") + 1].split(","):
    tell(begin=name)
    tell(note="the peer resets", ms=0.5)
    if name == "reset":
        signal.pause()
    if name == "undrained":
        raise SystemExit(1)
    tell(end=name, failed="RuntimeError: a defect")
"""


def test_one_that_hangs_dies_or_fails_is_unknown_with_its_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "probes.py").write_text(STAND_IN)
    program = [sys.executable, str(tmp_path / "probes.py")]
    monkeypatch.setattr(this_machine, "part_line", lambda name, arguments: [*program, *arguments])
    known = {name: probes.probe(name)._replace(deadline=0.2) for name in ("undrained", "reset", "closed")}
    monkeypatch.setattr("orchestrator.commands.probe.catalogue", lambda: known)
    assert in_process(tmp_path, "probe", "--engine", "poll") == (2, TRACES, "")


TRACES = """\
unknown: undrained on poll: its process ended with it, with exit code 1
        0.50 ms  the peer resets
unknown: reset on poll: it did not end within 0.2 s
        0.50 ms  the peer resets
unknown: closed on poll: RuntimeError: a defect
        0.50 ms  the peer resets
3 unknown
"""


def test_the_probes_are_listed(tmp_path: Path) -> None:
    code, out, _ = in_process(tmp_path, "probe", "--list")
    assert (code, len(out.split("\n\n")[0].splitlines())) == (0, len(probes.names()))


def test_its_processes_end_with_it_even_when_it_is_killed(tmp_path: Path) -> None:
    with Running(tmp_path, "probe", "--probe", "closed-in-wait", "--jobs", "1") as command:
        until(lambda: bool(command.named("faultbed.part")), "a process of probes")
        command.process.kill()
        command.process.wait()
        until(lambda: not command.family(), "their end")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_and_its_processes(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with Running(tmp_path, "probe") as command:
        until(lambda: bool(command.named("faultbed.part")), "a process of probes")
        command.process.send_signal(number)
        assert command.process.wait() == code
        until(lambda: not command.family(), "their end")


def test_without_root_black_holes_are_refused_to_who_asks_and_unknown_otherwise(tmp_path: Path) -> None:
    """CAP_SYS_ADMIN and CAP_NET_ADMIN are what root has of it (capabilities(7))."""
    need_root()  # whose capabilities can be taken
    command = [need("setpriv", "probes"), "--bounding-set=-all", "--inh-caps=-all", "--", *COMMAND]

    def probed(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run([*command, "probe", "--engine", "poll", *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    code, out, err = probed("--probe", "lost-peer")
    assert (code, out) == (4, "")
    assert "--probe lost-peer: needs CAP_SYS_ADMIN and CAP_NET_ADMIN: run as root" in err
    code, out, _ = probed()
    assert code == 2
    assert out.startswith("left out: connect-black-hole, lost-peer: needs CAP_SYS_ADMIN")
    assert "unknown: connect-black-hole, lost-peer on poll: needs CAP_SYS_ADMIN" in out


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
