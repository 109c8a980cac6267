"""The installed command as a user's shell starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orchestrator.backends.leftovers import ORCHESTRATOR, RUN, alive, born, end, identity, leftovers

COMMAND = [sys.executable, "-I", "-c", "from orchestrator.cli import main; main()"]


def faultbed(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=cwd, timeout=100)


def test_a_run_into_a_pipe_is_plain_and_quiet_on_stderr(tmp_path: Path) -> None:
    done = faultbed("run", "rpc/demo", "--backend", "sim", "--only", "fault=crash after commit", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "ok  2 !" in done.stdout
    assert "executed twice, in epoch 1 and 2" in done.stdout
    assert (tmp_path / "results" / "demo" / "latest" / "summary.json").exists()


def test_a_bad_call_is_4_whatever_the_parser_would_say(tmp_path: Path) -> None:
    done = faultbed("run", cwd=tmp_path)
    assert done.returncode == 4
    assert "Missing argument" in done.stderr


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    faultbed("run", "rpc/demo", "--backend", "sim", "--only", "fault=reply lost", cwd=tmp_path)
    child = subprocess.Popen(
        [*COMMAND, "export", "results/demo/latest"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    complaint = child.stderr.read()
    child.stderr.close()
    child.wait(timeout=100)
    assert complaint == b""


def test_a_users_own_packages_do_not_shadow_ours(tmp_path: Path) -> None:
    for name in ("nodes", "chaos", "orchestrator"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('a stranger')")
    done = faultbed("list", cwd=tmp_path)
    assert done.returncode == 0
    assert "rpc/demo" in done.stdout


def gone() -> str:
    """Names an orchestrator that lived and was reaped."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    name = identity(psutil.Process(child.pid))
    child.wait()
    return name


@pytest.fixture
def sleeper() -> Iterator[psutil.Process]:
    """A process of a run whose orchestrator is gone."""
    environment = {**os.environ, RUN: "test", ORCHESTRATOR: gone()}
    child = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    child.stdout.readline()
    yield psutil.Process(child.pid)
    child.kill()
    child.communicate()


def test_a_process_whose_orchestrator_is_gone_is_found_and_ended(sleeper: psutil.Process) -> None:
    mine = [found for found in leftovers() if found.process == sleeper]
    assert [found.run for found in mine] == ["test"]
    assert end(mine) == []
    assert not sleeper.is_running() or sleeper.status() == psutil.STATUS_ZOMBIE


def test_a_stopped_leftover_is_ended_too(sleeper: psutil.Process) -> None:
    sleeper.suspend()
    assert end([found for found in leftovers() if found.process == sleeper]) == []


def test_a_process_of_a_living_orchestrator_is_spared(tmp_path: Path) -> None:
    me = psutil.Process()
    environment = {**os.environ, RUN: "test", ORCHESTRATOR: identity(me)}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=environment, stdin=subprocess.PIPE) as child:
        assert child.pid not in [found.process.pid for found in leftovers()]
        child.communicate(b"\n")


def test_an_id_that_another_process_took_is_not_the_orchestrator() -> None:
    me = psutil.Process()
    assert alive(identity(me))
    assert not alive(f"{me.pid}:{born(me) - 3600}")
    assert alive("what is this")
    assert alive(f"{me.pid}:{me.create_time()}"), "as older versions say it"
    assert not alive(f"{me.pid}:{me.create_time() - 3600}")


@pytest.mark.skipif(not psutil.LINUX, reason="needs Linux: elsewhere a process is known by the clock")
def test_nobody_who_lives_is_taken_for_dead_because_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    me, booted = identity(psutil.Process()), psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted + 3600)
    assert alive(me)
    assert identity(psutil.Process()) == me
