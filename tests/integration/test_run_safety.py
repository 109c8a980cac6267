"""However `faultbed run` ends, nothing of it goes on running, and what it says of a broken testbed is clear."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from groups import ALONE
from running import COMMAND, MARK, Running, long, until

from nodes.wire.record import Kind
from orchestrator.sweep.store import read_history

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
SHORT = "{drop: reply, link: client -> server, operations: [2]}"
PAUSED = "{pause: server, after: 50ms}"


def scenario(folder: Path, text: str, name: str = "scenario.yaml") -> str:
    (folder / name).write_text(text)
    return name


def faultbed(folder: Path, *arguments: str) -> tuple[int, str, str]:
    with Running(folder, *arguments) as command:
        return command.end()


@pytest.mark.parametrize(("number", "ends"), SIGNALS)
def test_a_signal_stops_everything_and_keeps_the_partial_history(
    tmp_path: Path, number: signal.Signals, ends: int
) -> None:
    with Running(tmp_path, "run", scenario(tmp_path, long())) as command:
        command.loaded()
        command.process.send_signal(number)
        code, out, err = command.end()
        assert command.family() == []
    assert code == ends
    assert "Traceback" not in out + err
    assert "interrupted  long - seed=1" in out
    history = read_history(tmp_path / "results/long/latest/cell/history.msgpack")
    kinds = {event.kind for event in history.events}
    assert {Kind.EXECUTE, Kind.EFFECT, Kind.OK} <= kinds
    stops = [event.node for event in history.events if event.kind is Kind.STOP]
    assert sorted(stops) == ["client", "relay", "server"], "told to stop, not killed"


def test_ctrl_c_with_a_stopped_server_and_cells_side_by_side(tmp_path: Path) -> None:
    names = [scenario(tmp_path, long(name, PAUSED), f"{name}.yaml") for name in ("one", "two", "three")]
    with Running(tmp_path, "run", *names, "--jobs", "2") as command:
        stopped(command, 2)
        command.process.send_signal(signal.SIGINT)
        code, out, _ = command.end()
        assert command.family() == []
    assert code == 130
    assert out.count("interrupted  ") >= 2
    assert len(list((tmp_path / "results").rglob("history.msgpack"))) == 2, "the third was not begun"


DIES_AS_IT_GOES_ON = """{pause: server, at: before-commit, operation: 3}
  - {kill: server, at: after-commit, operation: 3}"""


def test_a_server_that_dies_of_its_fault_while_the_run_ends_is_waited_for_by_nobody(tmp_path: Path) -> None:
    """It stands in the midst of its commit; once it goes on it dies, when the relay that would be told has ended."""
    with Running(tmp_path, "run", scenario(tmp_path, long(fault=DIES_AS_IT_GOES_ON))) as command:
        stopped(command, 1)
        command.process.send_signal(signal.SIGTERM)
        code, out, _ = command.end()
        assert command.family() == []
    assert code == 143
    assert "interrupted  long - seed=1" in out
    assert "TESTBED" not in out


def test_one_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """As under nohup(1): SIGHUP is nothing to it, so SIGTERM is the first signal, whose number is told."""
    name = scenario(tmp_path, long())
    with Running(tmp_path, "run", name, command=["nohup", *COMMAND]) as command:
        command.loaded()
        command.process.send_signal(signal.SIGHUP)
        command.process.send_signal(signal.SIGTERM)
        assert command.end()[0] == 143
        assert command.family() == []


def test_a_second_signal_leaves_nothing_either_and_the_first_is_told(tmp_path: Path) -> None:
    with Running(tmp_path, "run", scenario(tmp_path, long())) as command:
        command.loaded()
        command.process.send_signal(signal.SIGHUP)
        command.process.send_signal(signal.SIGTERM)
        code, out, err = command.end()
        assert command.family() == []
    assert code == 129
    assert "Traceback" not in out + err


IN_TERMINAL = """
import os, sys
os.login_tty(os.open(sys.argv[1], os.O_RDWR))
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_terminal_that_is_closed_ends_the_run(tmp_path: Path) -> None:
    """SIGHUP comes, and nothing can be told any more: neither the bar nor the report is a reason to fail."""
    master, slave = os.openpty()
    terminal = [sys.executable, "-c", IN_TERMINAL, os.ttyname(slave), *COMMAND]
    with Running(tmp_path, "run", scenario(tmp_path, long()), command=terminal) as command:
        command.loaded()
        os.close(slave)
        os.close(master)
        assert command.process.wait(60) == 129
        assert command.family() == []
    run = tmp_path / "results/long/latest"
    assert read_history(run / "cell/history.msgpack").events
    assert json.loads((run / "summary.json").read_text())["cells"]


@pytest.mark.parametrize(("number", "ends"), SIGNALS)
def test_a_cell_in_the_simulator_is_ended_in_its_midst(tmp_path: Path, number: signal.Signals, ends: int) -> None:
    text = long().replace("calls: 5000", "calls: 100000, clients: 99").replace("load: 120s", "load: 999999s")
    with Running(tmp_path, "run", scenario(tmp_path, text), "--backend", "sim") as command:
        until(lambda: bool(list(tmp_path.rglob("plan.json"))), "the cell to begin")
        command.process.send_signal(number)
        code, out, _ = command.end()
    assert code == ends
    assert "interrupted  long - seed=1" in out
    history = read_history(tmp_path / "results/long/latest/cell/history.msgpack")
    assert "interrupted" in {event.detail.get("phase") for event in history.events}


def test_ctrl_c_in_the_simulator_ends_the_run_after_the_cell(tmp_path: Path) -> None:
    with Running(tmp_path, "run", "rpc/02-reply-lost", "--backend", "sim", "--repeat", "1000") as command:
        assert command.process.stdout is not None
        assert command.process.stdout.readline().startswith("met ")
        command.process.send_signal(signal.SIGINT)
        code, _, err = command.end()
    assert (code, err) == (130, "")
    summary = json.loads((tmp_path / "results/02-reply-lost/latest/summary.json").read_text())
    assert 0 < len(summary["cells"]) < 20_000


def test_a_reader_that_has_enough_ends_the_run(tmp_path: Path) -> None:
    """As in `faultbed run ... | head -1`: nobody wants the rest."""
    with Running(tmp_path, "run", "rpc/02-reply-lost", "--backend", "sim", "--repeat", "1000") as command:
        assert command.process.stdout is not None
        assert command.process.stdout.readline().startswith("met ")
        command.process.stdout.close()
        assert command.process.wait(30) == 130
        assert command.process.stderr is not None
        assert command.process.stderr.read() == ""


def stopped(command: Running, number: int = 1) -> None:
    """Wait until so many servers are stopped by their fault."""

    def there() -> bool:
        servers = command.named("nodes", "server")
        return sum(state(server) == psutil.STATUS_STOPPED for server in servers) == number

    until(there, "servers to be stopped")


def state(process: psutil.Process) -> str:
    try:
        return process.status()
    except psutil.NoSuchProcess:
        return psutil.STATUS_DEAD


def supervised(command: Running) -> None:
    until(lambda: bool(command.named("supervisor")), "the supervisor")


def has_nodes(command: Running) -> None:
    until(lambda: bool(command.named("nodes")), "a node")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("moment", [supervised, has_nodes, Running.loaded])
def test_a_killed_run_leaves_nothing_running(
    tmp_path: Path, moment: Callable[[Running], None], number: signal.Signals
) -> None:
    with Running(tmp_path, "run", scenario(tmp_path, long())) as command:
        moment(command)
        command.process.send_signal(number)
        command.end()
        command.all_gone()


def test_a_killed_run_takes_its_stopped_nodes_along(tmp_path: Path) -> None:
    with Running(tmp_path, "run", scenario(tmp_path, long(fault=PAUSED))) as command:
        stopped(command)
        command.process.kill()
        command.end()
        command.all_gone()


@ALONE
def test_clean_ends_what_even_the_supervisor_could_not_and_nothing_else(tmp_path: Path) -> None:
    """With the supervisor killed too, a stopped node cannot notice that its control connection ended."""
    (tmp_path / "other").mkdir()
    with (
        Running(tmp_path, "run", scenario(tmp_path, long(fault=PAUSED))) as command,
        Running(tmp_path / "other", "run", scenario(tmp_path / "other", long())) as other,
    ):
        other.loaded()
        stopped(command)
        supervisor = command.named("supervisor")[0]
        supervisor.suspend()  # or it would end the node as soon as the command is gone, before it is killed itself
        until(lambda: state(supervisor) == psutil.STATUS_STOPPED, "the supervisor to be stopped")
        command.process.kill()
        supervisor.kill()
        command.end()
        until(lambda: len(command.family()) == 1, "the others to end by themselves")
        left = command.family()[0]
        assert state(left) == psutil.STATUS_STOPPED
        others = other.family()
        code, out, _ = faultbed(tmp_path, "clean")
        assert code == 0
        assert f"ended process {left.pid} of run " in out
        command.all_gone()
        assert other.family() == others
        assert not [process for process in others if f"process {process.pid} " in out]


def test_a_server_that_somebody_else_kills_is_no_verdict(tmp_path: Path) -> None:
    with Running(tmp_path, "run", scenario(tmp_path, long())) as command:
        command.loaded()
        command.node("server").kill()
        code, out, _ = command.end()
        assert command.family() == []
    assert code == 3
    assert "TESTBED      long - seed=1" in out
    assert "server (epoch 1) ended: signal 9" in out
    code, out, _ = faultbed(tmp_path, "check", "results/long/latest")
    assert code == 3, "nothing follows from a part of a history"
    assert "the run did not reach its end" in out


def test_an_interrupted_run_gives_no_verdict_later_either(tmp_path: Path) -> None:
    with Running(tmp_path, "run", scenario(tmp_path, long())) as command:
        command.loaded()
        command.process.send_signal(signal.SIGINT)
        command.end()
    code, out, _ = faultbed(tmp_path, "check", "results/long/latest")
    assert code == 3
    assert "its last phase was interrupted" in out


def short(port: int = 0) -> str:
    text = long("short", SHORT).replace("calls: 5000", "calls: 6").replace("first: 60s", "first: 60ms")
    return text.replace("yields: 20ms", f"port: {port}")


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_port_in_use_is_told_with_the_node(tmp_path: Path, transport: str) -> None:
    kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[transport]
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if transport == "tcp":
            taken.listen()
        port = taken.getsockname()[1]
        text = short(port).replace("transport: tcp", f"transport: {transport}")
        with Running(tmp_path, "run", scenario(tmp_path, text)) as command:
            code, out, err = command.end()
            assert command.family() == []
    assert code == 3
    assert (
        f"node server: client -> server: cannot listen at 127.0.0.1:{port} ({transport}): Address already in use" in out
    )
    assert "Traceback" not in out + err


DYING = """
import sys
from orchestrator.backends.local.session import LocalSession
from orchestrator.backends.this_machine import command_line
def commands(name, *rest):
    return [sys.executable, "-I", sys.argv.pop(), "dies", name] if name == "server" else command_line(name, *rest)
LocalSession.__init__.__defaults__ = (commands,)
stand_in = sys.argv[-1]
from orchestrator.cli import main
main(sys.argv[1:-1])
"""


def test_a_node_that_dies_at_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    stand_in = str(Path(__file__).with_name("stand_in.py"))
    command_line = [sys.executable, "-I", "-c", DYING]
    arguments = ("run", scenario(tmp_path, short()), "--junit", "junit.xml", stand_in)
    with Running(tmp_path, *arguments, command=command_line) as command:
        code, out, err = command.end()
        assert command.family() == []
    assert code == 3
    assert "server (epoch 1): it died at start, exit code 70" in out
    assert "there is no engine of that name" in out
    assert "server.1.log" in out
    assert "Traceback" not in out + err
    assert "<error" in (tmp_path / "junit.xml").read_text()


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    """In one folder, begun in one second: each has a folder of its own."""
    name = scenario(tmp_path, short())
    with Running(tmp_path, "run", name) as one, Running(tmp_path, "run", name) as other:
        ends = one.end(), other.end()
    assert [code for code, _, _ in ends] == [0, 0]
    runs = [path for path in (tmp_path / "results/short").iterdir() if not path.is_symlink()]
    assert len(runs) == 2
    for run in runs:
        assert [cell["exit_code"] for cell in json.loads((run / "summary.json").read_text())["cells"]] == [0]


def test_a_run_among_a_users_own_packages(tmp_path: Path) -> None:
    """Neither the command nor the processes that it starts look for modules where the user is."""
    for package in ("nodes", "chaos", "orchestrator"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise RuntimeError('a stranger')")
    (tmp_path / "msgpack.py").write_text("raise RuntimeError('a stranger')")
    code, out, err = faultbed(tmp_path, "run", scenario(tmp_path, short()))
    assert (code, err) == (0, "")
    assert "met          short" in out


INSTALLED = str(Path(sys.executable).with_name("faultbed"))


@pytest.mark.parametrize("command", [[INSTALLED], [sys.executable, "-m", "faultbed"]], ids=["script", "module"])
def test_a_run_among_strangers_of_our_names(
    tmp_path: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are what PYTHONPATH names, and where the user is; one has a name of the standard library's."""
    for package in ("nodes", "chaos", "orchestrator", "click", "yaml", "typing"):
        (tmp_path / f"{package}.py").write_text("raise RuntimeError('a stranger')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Running(tmp_path, "run", scenario(tmp_path, short()), command=command) as running:
        code, out, err = running.end()
    assert (code, err) == (0, "")
    assert "met          short" in out


def test_the_installed_command_is_the_same(tmp_path: Path) -> None:
    with Running(tmp_path, "run", scenario(tmp_path, short()), "--junit", "junit.xml", command=[INSTALLED]) as command:
        code, out, _ = command.end()
    assert code == 0
    assert "met          short" in out
    document = (tmp_path / "junit.xml").read_text()
    assert '<property name="seed" value="1"' in document
    assert '<property name="cell" value="-"' in document


def test_the_family_is_found_by_its_mark(tmp_path: Path) -> None:
    """What the tests above rest on: the supervisor, the relay and both nodes inherit the mark."""
    with Running(tmp_path, "run", scenario(tmp_path, long())) as command:
        command.loaded()
        assert len(command.family()) == 4
        assert all(process.environ()[MARK] == command.mark for process in command.family())
        assert COMMAND[0] == command.node("client").cmdline()[0]
