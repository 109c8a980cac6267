"""The driver that is any program: what it is told, what its answers mean, and how a bad one is found out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from nodes import engines
from nodes.drivers import DriverFailed, Operation, Outcome
from nodes.drivers.exec import ExecDriver
from nodes.ops import Get, Program, Put, Queue, Spawn
from nodes.rpc.calls import End

ECHO = """
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "close":
        break
    {act}
"""
GOOD = 'print(json.dumps({"type": "ok", "value": message.get("intent"), "attempts": 2}), flush=True)'
OPENS = 'message["type"] == "open" and print("{\\"type\\": \\"ok\\"}", flush=True)'


def driver(folder: Path, act: str, patience: int = 5_000) -> ExecDriver:
    program = folder / "drive.py"
    program.write_text(ECHO.replace("{act}", act))
    return ExecDriver([sys.executable, "drive.py"], str(folder), 3, "10.0.0.2:8080", 50, patience)


def run(program: Program) -> Any:
    return engines.create("epoll", lambda _: 0, lambda: 0.5).run(program)


def call(subject: ExecDriver, *intents: int) -> Program:
    yield from subject.open()
    found = []
    for seq, intent in enumerate(intents, 1):
        found.append((yield from subject.invoke(Operation(seq, intent, "call", intent))))
    yield from subject.close()
    return found


def test_calls_and_answers(tmp_path: Path) -> None:
    assert run(call(driver(tmp_path, GOOD), 7, 8)) == [Outcome(End.OK, 7, 2), Outcome(End.OK, 8, 2)]
    assert not psutil.Process().children()


def test_it_is_told_who_it_is_and_what_to_call(tmp_path: Path) -> None:
    act = 'open("told", "a").write(line); ' + GOOD
    run(call(driver(tmp_path, act), 7))
    opened, invoked = map(json.loads, (tmp_path / "told").read_text().splitlines())
    assert opened == {"type": "open", "client": 3, "target": "10.0.0.2:8080"}
    expected = {"type": "invoke", "op": 1, "client": 3, "intent": 7, "f": "call", "value": 7, "timeout": 0.05}
    assert invoked == expected


@pytest.mark.parametrize("kind", ["fail", "info"])
def test_what_is_not_ok_has_an_error(tmp_path: Path, kind: str) -> None:
    answer = f'print(json.dumps({{"type": "{kind}", "error": "why"}}), flush=True)'
    act = f'{OPENS} or message["type"] == "invoke" and {answer}'
    assert run(call(driver(tmp_path, act), 7)) == [Outcome(End(kind), "why")]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        ("sys.exit(9)", r"ended instead of answering 'open' \(exit code 9\)"),
        ("pass", "hangs: no answer to 'open' within 150 ms"),
        ('print("hello", flush=True)', "says b'hello'; expected one JSON object"),
        ('print("{}", flush=True)', "expected one JSON object"),
        ('print("{\\"type\\": \\"fail\\", \\"error\\": \\"no key\\"}", flush=True)', "cannot open: no key"),
        (f"{OPENS} or sys.exit(1)", r"ended instead of answering 'invoke'"),
        ('print("[" * 5000, flush=True)', "expected one JSON object"),
        (GOOD.replace('message.get("intent")', "2**70"), "expected one JSON object"),
        (GOOD.replace('message.get("intent")', '"\\ud800"'), "expected one JSON object"),
        (GOOD.replace("2}", '"two"}'), "attempts: 'two'"),
    ],
)
def test_a_driver_that_fails_is_the_testbeds_failure(tmp_path: Path, act: str, message: str) -> None:
    with pytest.raises(DriverFailed, match=message):
        run(call(driver(tmp_path, act, patience=100 if act == "pass" else 5_000), 7))
    assert not psutil.Process().children()


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DriverFailed, match="absent of client process 1: it cannot be started"):
        run(call(ExecDriver(["./absent"], str(tmp_path), 1, "", 50, 50)))


def test_finish_ends_an_open_call_as_info(tmp_path: Path) -> None:
    subject = driver(tmp_path, OPENS)

    def invoke(done: Queue) -> Program:
        outcome = yield from subject.invoke(Operation(1, 7, "call", 7))
        yield Put(done, outcome)

    def main() -> Program:
        done = Queue()
        yield from subject.open()
        yield Spawn(invoke(done), "call")
        yield from subject.finish()
        outcome = yield Get(done)
        yield from subject.close()
        return outcome

    assert run(main()) == Outcome(End.INFO, "no answer when settling ended")


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    stays = ECHO.replace("{act}", GOOD).replace("break", "continue")
    (tmp_path / "drive.py").write_text(stays)
    run(call(ExecDriver([sys.executable, "drive.py"], str(tmp_path), 1, "", 50, 5_000), 7))
    assert not psutil.Process().children()
