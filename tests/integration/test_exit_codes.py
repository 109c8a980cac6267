"""What nobody asked for ends in one message and in an exit code that says what it is: never in 1, which says unmet."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import sys
import termios
from pathlib import Path

import pytest
from running import COMMAND, Running, in_process, long, until

INSTALLED = str(Path(sys.executable).with_name("faultbed"))
SHORT = long().replace("calls: 5000", "calls: 6").replace("first: 60s", "first: 60ms").replace("[4000]", "[2]")
CELL = ("run", "short.yaml", "--backend", "sim")


@pytest.fixture(autouse=True)
def _scenario(tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text(SHORT)


def through_a_shell(redirections: str) -> list[str]:
    return ["sh", "-c", f'exec "$@" {redirections}', "sh", *COMMAND]


@pytest.mark.parametrize(
    ("redirections", "code", "said"),
    [
        (">&-", 4, "standard output is closed"),
        (">&- <&-", 4, "standard output is closed"),
        (">/dev/full", 3, "standard output takes no more: No space left on device"),
        ("2>&-", 0, ""),
        ("<&- 2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
        (">&- 2>&-", 4, ""),
    ],
)
def test_standard_streams_that_are_closed_or_full(tmp_path: Path, redirections: str, code: int, said: str) -> None:
    with Running(tmp_path, *CELL, command=through_a_shell(redirections)) as command:
        ended, out, err = command.end()
    assert ended == code, out + err
    assert err.count("\n") == bool(said)
    assert said in err
    assert not list(tmp_path.rglob(".*.part"))


GONE = 'mkdir gone; cd gone; rmdir ../gone; exec "$@"'


@pytest.mark.parametrize("arguments", [CELL, ("list",), ("--help",)])
def test_a_working_folder_that_was_removed_is_told(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with Running(tmp_path, *arguments, command=["sh", "-c", GONE, "sh", INSTALLED]) as command:
        ended, out, err = command.end()
    assert (ended, out) == (4, "")
    expected = "faultbed: the working folder cannot be told (No such file or directory); change to one that exists\n"
    assert err == expected


def test_a_message_that_nobody_can_read_changes_no_exit_code(tmp_path: Path) -> None:
    with Running(tmp_path, "run", "absent.yaml", command=through_a_shell("2>/dev/full")) as command:
        assert command.end()[0] == 4


STRUCK = """
import os, runpy, signal, sys
module, number, script = sys.argv[1:4]
class Strikes:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), int(number))
sys.meta_path.insert(0, Strikes())
sys.argv[1:] = sys.argv[4:]
runpy.run_path(script, run_name="__main__")
"""


def struck(module: str, number: int) -> list[str]:
    return [sys.executable, "-c", STRUCK, module, str(int(number)), INSTALLED]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("module", ["click", "pydantic._internal", "orchestrator.sweep.cells"])
def test_a_signal_in_the_midst_of_imports(tmp_path: Path, module: str, number: int, code: int) -> None:
    with Running(tmp_path, *CELL, command=struck(module, number)) as command:
        ended, out, err = command.end()
    assert ended == code
    assert "Traceback" not in out + err
    assert err.count("\n") == 1


def test_the_supervisor_is_imported_by_itself_alone(tmp_path: Path) -> None:
    with Running(tmp_path, *CELL, command=struck("orchestrator.supervisor", signal.SIGTERM)) as command:
        ended, _, err = command.end()
    assert (ended, err) == (0, "")


def test_a_part_that_is_not_ours_is_named(tmp_path: Path) -> None:
    """One that was imported before ours could come first, as by what an environment imports at its start."""
    (tmp_path / "nodes.py").write_text("")
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); import nodes, faultbed.__main__ as entry; entry.main()"
    with Running(tmp_path, "list", command=[sys.executable, "-I", "-c", code, str(tmp_path)]) as command:
        ended, out, err = command.end()
    assert (ended, out) == (3, "")
    assert err.startswith(f"faultbed: package 'nodes' is {tmp_path / 'nodes.py'}, expected ")


BROKEN = """
import orchestrator.{module} as module
def broken(*_):
    raise {error}
module.{name} = broken
from orchestrator.cli import main
main()
"""


@pytest.mark.parametrize("error", [TypeError("of ours"), RecursionError("too deep"), EOFError(), SystemExit(1)])
@pytest.mark.parametrize("place", ["scenario.shipped.plans", "sweep.cells.judge", "backends.conducting.Conductor"])
def test_what_nobody_foresaw_is_told_as_a_defect(
    tmp_path: Path, place: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(f"orchestrator.{place}", broken)
    code, out, err = in_process(tmp_path, *CELL)
    assert code == 3, out + err
    assert "Traceback" not in out + err
    assert f"a defect of Faultbed, not of what it was given: {type(error).__name__}" in out + err


def test_a_defect_in_a_cell_is_kept_with_the_cell(tmp_path: Path) -> None:
    source = BROKEN.format(module="sweep.cells", name="judge", error="TypeError('of ours')")
    with Running(tmp_path, *CELL, command=[sys.executable, "-I", "-c", source]) as running:
        assert running.end()[0] == 3
    cell = tmp_path / "results/long/latest/cell"
    assert "in broken" in (cell / "traceback.txt").read_text()
    assert (cell / "history.msgpack").exists(), "what was recorded is kept"


def test_where_a_defect_struck_is_told_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTBED_TRACEBACK", "1")
    source = BROKEN.format(module="scenario.shipped", name="plans", error="TypeError('of ours')")
    with Running(tmp_path, *CELL, command=[sys.executable, "-I", "-c", source]) as running:
        code, _, err = running.end()
    assert (code, "Traceback" in err) == (3, True)


def test_too_little_memory_is_no_verdict(tmp_path: Path) -> None:
    source = BROKEN.format(module="sweep.cells", name="judge", error="MemoryError")
    with Running(tmp_path, *CELL, command=[sys.executable, "-I", "-c", source]) as running:
        code, out, err = running.end()
    assert (code, err) == (3, "")
    assert "there is not enough memory" in out


DYING = """
import orchestrator.backends.node_process as module
def broken(*_):
    raise TypeError("of ours")
module.NodeProcess._message = broken
from orchestrator.cli import main
main()
"""


def test_a_thread_that_dies_ends_the_run_and_is_told(tmp_path: Path) -> None:
    with Running(tmp_path, "run", "short.yaml", command=[sys.executable, "-I", "-c", DYING]) as running:
        code, out, err = running.end()
        assert running.family() == []
    assert code == 3
    assert "Traceback" not in out + err
    assert "TypeError: of ours" in out + err


def test_what_another_backend_must_run_is_refused_in_one_message(tmp_path: Path) -> None:
    scenario = Path(__file__).parents[2] / "examples/orders/slow-answers.yaml"
    with Running(tmp_path, "run", str(scenario), "--backend", "sim") as command:
        code, out, err = command.end()
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert "a compose project runs at this machine's engine" in err


def told(command: Running) -> None:
    """Wait until it has said so much that it waits for its reader, or is about to."""
    pipe = command.process.stdout
    assert pipe is not None

    def there() -> bool:
        return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4), sys.byteorder) >= 1 << 15

    until(there, "its output to be about as much as a pipe takes")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that has more to tell than a pipe takes."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "many.yaml").write_text(SHORT.replace("calls: 6", "calls: 2000"))
    assert in_process(folder, "run", "many.yaml", "--backend", "sim")[0] == 0
    return folder


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_any_command_ends_so(recorded: Path, number: int, code: int) -> None:
    with Running(recorded, "export", "results/long/latest") as command:
        told(command)
        command.process.send_signal(number)
        ended, _, err = command.end()
    assert (ended, err.count("\n"), "Traceback" in err) == (code, 1, False)


ENGINE = """#!/bin/sh
case "$*" in
  version*) exit 0;;
  run*) echo 3 11 x86_64;;
  *) : >"$MARK"; exec sleep 1000;;
esac
"""


@pytest.mark.parametrize("step", ["run*)", "pip"])
def test_image_build_ends_with_its_programs(
    tmp_path: Path, step: str, nobody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it waits for, and its temporary folders are removed. The engine is a stand-in that takes for ever."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "temporary").mkdir()
    program = tmp_path / "bin/docker"
    program.write_text(ENGINE.replace("run*) echo 3 11 x86_64;;", "") if step == "run*)" else ENGINE)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MARK", str(tmp_path / "reached"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{nobody}/")  # pip tries again for a while
    with Running(tmp_path, "image", "build", "--base", "stand-in") as command:
        if step == "pip":
            until(lambda: bool(command.named("download")), "pip")
        else:
            until((tmp_path / "reached").exists, "the engine to be asked")
        command.process.send_signal(signal.SIGTERM)
        assert command.end()[0] == 143
        command.all_gone()
    assert list((tmp_path / "temporary").iterdir()) == []
