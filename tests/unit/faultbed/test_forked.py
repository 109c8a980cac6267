"""A part that is forked has what one that is executed has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from faultbed import forked
from faultbed.part import command

if not forked.WORKS:
    pytest.skip("fork: parts are forked on Linux", allow_module_level=True)

STATE = """
import json, os, signal, sys

def prepare(argv):
    print("prepared", argv, flush=True)

def main():
    if "crash" in sys.argv:
        raise ValueError("of no use")
    if "exit" in sys.argv:
        sys.exit(2)
    if "die" in sys.argv:
        os.kill(os.getpid(), 9)
    if "large" in sys.argv:
        return int(open("/proc/self/cmdline").read().count("0") > 500)
    print(json.dumps({
        "argv": sys.argv, "line": open("/proc/self/cmdline").read().rstrip("\\0").split("\\0"), "session": os.getsid(0),
        "pid": os.getpid(), "folder": os.getcwd(), "given": os.environ["GIVEN"], "inherited": os.environ["PARENTS"],
        "open": sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1], "input": sys.stdin.read(),
        "term": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
        "int": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "hup": signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, "limited": os.environ.get("LIMITED"),
    }))
    print("to the log", file=sys.stderr)
    return 3
"""
PARENT = """
import json, os, signal, sys
from faultbed import forked
from faultbed.part import command
sys.path.insert(0, os.getcwd())
forked.MODULES["nodes"] = "state"
readable, writable = os.pipe()
os.set_blocking(writable, False)
signal.set_wakeup_fd(writable)
signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
log = os.open("log", os.O_WRONLY | os.O_CREAT)
argv = [*command("nodes"), *sys.argv[1:-1]]
limit = (lambda: os.environ.update(LIMITED="yes")) if "limit" in sys.argv else None
if "nowhere" not in sys.argv:
    os.mkdir("folder")
before = os.listdir("/proc/self/fd")
try:
    child = forked.start("nodes", argv, {"GIVEN": "given"}, "folder", log, limit)
    assert os.getsid(child.pid) == child.pid
except OSError as error:
    assert os.listdir("/proc/self/fd") == before
    print(json.dumps(str(error)))
    sys.exit()
said = child.stdout.read().decode()
print(json.dumps({"pid": child.pid, "said": said, "code": child.wait(), "again": child.poll()}))
"""


def told(folder: Path, *words: str) -> Any:
    """What the parent says of a child with these arguments."""
    (folder / "state.py").write_text(STATE)
    (folder / "parent.py").write_text(PARENT)
    run = subprocess.run(
        [sys.executable, "-I", "-c", PARENT, *words, forked.ROOM],
        cwd=folder,
        env={**os.environ, "PARENTS": "inherited"},
        capture_output=True,
        text=True,
        check=True,
    )
    prepared, said = run.stdout.splitlines()
    assert prepared == f"prepared {list(words)}"
    return json.loads(said)


def test_it_has_what_a_program_has_that_is_executed(tmp_path: Path) -> None:
    parent = told(tmp_path, "--name", "server")
    child = json.loads(parent["said"])
    assert child == {
        "argv": ["faultbed.part", "--name", "server"],
        "line": [*command("nodes"), "--name", "server"],
        "session": parent["pid"],
        "pid": parent["pid"],
        "folder": str(tmp_path / "folder"),
        "given": "given",
        "inherited": "inherited",
        "open": [0, 1, 2],
        "input": "",
        "term": True,
        "int": True,
        "hup": True,
        "limited": None,
    }
    assert (parent["code"], parent["again"]) == (3, 3)
    assert (tmp_path / "log").read_text() == "to the log\n"


def test_a_limit_is_set_in_it(tmp_path: Path) -> None:
    assert json.loads(told(tmp_path, "limit")["said"])["limited"] == "yes"


@pytest.mark.parametrize(("word", "code"), [("crash", 1), ("exit", 2), ("die", -signal.SIGKILL)])
def test_its_end_is_told(tmp_path: Path, word: str, code: int) -> None:
    assert told(tmp_path, word)["code"] == code
    assert ("ValueError: of no use" in (tmp_path / "log").read_text()) == (word == "crash")


def test_what_it_cannot_settle_with_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "nowhere") == "[Errno 2] No such file or directory: 'folder'"


def test_a_long_command_line_is_cut(tmp_path: Path) -> None:
    assert told(tmp_path, "large", "0" * 100_000)["code"] == 1


def test_a_part_of_this_interpreter_is_forked_and_nothing_else() -> None:
    for name in ("nodes", "chaos"):
        assert forked.named([*command(name), "--name", "a"]) == name  # type: ignore[arg-type]
    assert forked.named(command("supervisor")) is None
    assert forked.named(command("nodes", "python3")) is None
    assert forked.named(["nsenter", "--", *command("nodes")]) is None
    assert forked.named([sys.executable]) is None
