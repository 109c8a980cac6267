"""The supervisor process: what it starts it reports, and nothing it started outlives the orchestrator."""

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from running import PATIENCE, until

from orchestrator.backends.leftovers import orchestrator_id
from orchestrator.backends.processes import Ended, Failed, Line, Report, Spawned, Stopped, Supervisor

SLEEPER = [sys.executable, "-I", "-c", "import time; print('up', flush=True); time.sleep(60)"]
IGNORE = "import signal; [signal.signal(number, signal.SIG_IGN) for number in (1, 2, 15)]; "
STUBBORN = [*SLEEPER[:-1], IGNORE + SLEEPER[-1]]

# An orchestrator that starts two children, stops one, tells their pids and waits to be killed.
ORCHESTRATOR = """
import queue, sys
from pathlib import Path
from orchestrator.backends.processes import Supervisor
supervisor, reports = Supervisor("a run"), queue.SimpleQueue()
for key in "ab":
    supervisor.spawn(key, {argv!r}, {{}}, Path("."), Path(key + ".log"), reports.put)
    pid = reports.get().pid
    reports.get()
    print(pid, flush=True)
supervisor.signal("b", "stop")
print(supervisor.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor("a run") as running:
        yield running


class Child:
    """One child's reports."""

    def __init__(self, supervisor: Supervisor, folder: Path, argv: list[str], key: str = "a") -> None:
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.log = folder / "child.log"
        supervisor.spawn(key, argv, {"FAULTBED_TOKEN": "abc"}, folder, self.log, self.reports.put)

    def next(self) -> Any:
        return self.reports.get(timeout=PATIENCE)


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_child_is_reported_from_its_pid_to_its_end(supervisor: Supervisor, tmp_path: Path) -> None:
    script = "import os, sys; print(os.environ['FAULTBED_RUN'], os.getcwd()); print('more'); sys.exit('bad')"
    child = Child(supervisor, tmp_path, [sys.executable, "-I", "-c", script])
    reports = [child.next(), child.next(), child.next(), child.next()]
    assert isinstance(reports[0], Spawned)
    assert reports[1:] == [Line(f"a run {tmp_path}"), Line("more"), Ended(0, 1)]
    assert sorted(child.log.read_text().splitlines()) == sorted([f"a run {tmp_path}", "bad", "more"])


def test_a_child_knows_its_orchestrator_and_its_token(supervisor: Supervisor, tmp_path: Path) -> None:
    script = "import os; print(os.environ['FAULTBED_ORCHESTRATOR'], os.environ['FAULTBED_TOKEN'])"
    child = Child(supervisor, tmp_path, [sys.executable, "-I", "-c", script])
    child.next()
    assert child.next() == Line(f"{orchestrator_id()} abc")


def test_a_program_that_is_not_there_is_a_failure(supervisor: Supervisor, tmp_path: Path) -> None:
    failed = Child(supervisor, tmp_path, [str(tmp_path / "no-such-program")]).next()
    assert isinstance(failed, Failed)
    assert "no-such-program" in failed.reason


def test_signals_stop_continue_and_kill(supervisor: Supervisor, tmp_path: Path) -> None:
    child = Child(supervisor, tmp_path, SLEEPER)
    process = psutil.Process(child.next().pid)
    assert child.next() == Line("up")
    supervisor.signal("a", "stop")
    assert child.next() == Stopped()
    until(lambda: process.status() == psutil.STATUS_STOPPED, "it to be stopped")
    supervisor.signal("a", "continue")
    until(lambda: process.status() != psutil.STATUS_STOPPED, "it to go on")
    supervisor.signal("a", "stop")
    supervisor.signal("a", "kill")
    assert child.next() == Stopped()
    assert child.next() == Ended(signal.SIGKILL, 0)
    supervisor.signal("a", "kill")  # has ended: no effect
    supervisor.signal("nobody", "kill")
    assert Child(supervisor, tmp_path, SLEEPER, "b").next().pid > 0


def test_a_signal_reaches_what_the_child_started(supervisor: Supervisor, tmp_path: Path) -> None:
    script = "import subprocess; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
    child = Child(supervisor, tmp_path, [sys.executable, "-I", "-c", script])
    child.next()
    grandchild = psutil.Process(int(child.next().text))
    supervisor.signal("a", "kill")
    assert child.next() == Ended(signal.SIGKILL, 0)
    until(lambda: gone(grandchild), "its child to be gone")


def test_what_a_child_started_does_not_outlive_it(supervisor: Supervisor, tmp_path: Path) -> None:
    leaves = (
        f"import subprocess; print(subprocess.Popen({SLEEPER!r}, stdout=subprocess.DEVNULL).pid, flush=True); input()"
    )
    child = Child(supervisor, tmp_path, [sys.executable, "-I", "-c", leaves])
    assert isinstance(child.next(), Spawned)
    left = psutil.Process(int(child.next().text))
    assert isinstance(child.next(), Ended)
    until(lambda: gone(left), "what it started to end")


def test_a_child_leads_a_session_of_its_own(supervisor: Supervisor, tmp_path: Path) -> None:
    pid = Child(supervisor, tmp_path, SLEEPER).next().pid
    assert os.getsid(pid) == pid
    assert os.getsid(supervisor.pid) == supervisor.pid


def test_closing_kills_what_ignores_every_other_signal(tmp_path: Path) -> None:
    with Supervisor("a run") as supervisor:
        child = Child(supervisor, tmp_path, STUBBORN)
        process = psutil.Process(child.next().pid)
        child.next()
    assert gone(process)
    supervisor.close()
    assert isinstance(child.next(), Failed)
    assert isinstance(Child(supervisor, tmp_path, SLEEPER, "late").next(), Failed)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_children_of_a_supervisor_that_ends_are_killed_and_reported(
    supervisor: Supervisor, tmp_path: Path, number: int
) -> None:
    child = Child(supervisor, tmp_path, STUBBORN)
    process = psutil.Process(child.next().pid)
    child.next()
    supervisor.signal("a", "stop")
    assert child.next() == Stopped()
    until(lambda: process.status() == psutil.STATUS_STOPPED, "it to be stopped")
    os.kill(supervisor.pid, number)
    assert "supervisor" in child.next().reason
    until(lambda: gone(process), "it to be gone")


def test_nothing_survives_an_orchestrator_that_is_killed(tmp_path: Path) -> None:
    orchestrator = subprocess.Popen(
        [sys.executable, "-I", "-c", ORCHESTRATOR.format(argv=STUBBORN)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    with orchestrator:
        assert orchestrator.stdout is not None
        running, stopped, supervisor = (psutil.Process(int(orchestrator.stdout.readline())) for _ in range(3))
        until(lambda: stopped.status() == psutil.STATUS_STOPPED, "one to be stopped")
        assert not any(gone(process) for process in (running, stopped, supervisor))
        orchestrator.kill()
        until(lambda: all(gone(process) for process in (running, stopped, supervisor)), "all to be gone")


def test_a_log_that_cannot_be_written_ends_its_process_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("full: this system has no /dev/full")
    other = Child(supervisor, tmp_path, SLEEPER, "other")
    reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
    supervisor.spawn("full", STUBBORN, {}, tmp_path, Path("/dev/full"), reports.put)
    pid = reports.get(timeout=PATIENCE).pid  # type: ignore[union-attr]
    failed = reports.get(timeout=PATIENCE)
    assert failed == Failed("its log /dev/full cannot be written: No space left on device")
    until(lambda: not psutil.pid_exists(pid), "it to be reaped")
    other.next()
    assert other.next() == Line("up")


def test_a_command_that_is_none_fails_alone(supervisor: Supervisor, tmp_path: Path) -> None:
    failed = Child(supervisor, tmp_path, ["a\0b"]).next()
    assert failed == Failed("it could not be started: embedded null byte")
    assert isinstance(Child(supervisor, tmp_path, SLEEPER, "b").next(), Spawned)


def test_a_report_that_cannot_be_taken_is_told_to_everybody(supervisor: Supervisor, tmp_path: Path) -> None:
    """The thread that reads the supervisor must not end unseen."""
    other = Child(supervisor, tmp_path, SLEEPER, "other")
    process = psutil.Process(other.next().pid)
    assert other.next() == Line("up")

    def take(report: Report) -> None:
        if isinstance(report, Spawned):
            raise ValueError("of no use")

    supervisor.spawn("a", SLEEPER, {}, tmp_path, tmp_path / "log", take)
    assert other.next() == Failed("what became of the processes is not known: ValueError: of no use")
    until(lambda: gone(process), "it to be gone")
