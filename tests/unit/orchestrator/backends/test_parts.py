"""What a part tells comes line by line, its end is said, and one that takes too long is ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from orchestrator.backends.host import Ended, Failed, Host, Launch, Line, Report, Spawned, Tell
from orchestrator.backends.parts import Part, Told, told

SOON = 10.0


class Scripted:
    """A host whose processes tell what is written down, and end by a signal that they are sent."""

    def __init__(self, *reports: Report) -> None:
        self._reports = reports
        self.launched: list[Launch] = []
        self.signalled: list[tuple[str, int, str]] = []

    def spawn(self, launch: Launch, tell: Tell) -> None:
        self.launched.append(launch)
        self._tell = tell
        for report in self._reports:
            tell(report)

    def signal(self, name: str, epoch: int, signal: Any) -> None:
        self.signalled.append((name, epoch, signal))
        self._tell(Ended(9, 0))


def part(host: Scripted, folder: Path, *arguments: str) -> Part:
    return Part(cast(Host, host), "lanes", arguments, folder, 3)


def test_it_is_told_what_it_is_to_do(tmp_path: Path) -> None:
    host = Scripted()
    part(host, tmp_path, "a", "b")
    (launch,) = host.launched
    assert (launch.role, launch.epoch, launch.arguments) == ("lanes", 3, ("a", "b"))
    assert launch.log == tmp_path / "lanes.3.log"
    assert len(bytes.fromhex(launch.token)) == 32


def test_its_lines_come_in_turn_and_then_nothing(tmp_path: Path) -> None:
    made = part(Scripted(Spawned(7), Line("one"), Line("two"), Ended(0, 0)), tmp_path)
    assert made.line(SOON) == "one"
    assert list(made.lines(SOON)) == ["two"]
    assert made.line(0) is None
    assert made.problem == ""


@pytest.mark.parametrize(
    ("end", "log", "problem"),
    [
        (Ended(0, 1), "first\nlast\n\none\n", "exit code 1: last"),
        (Ended(11, 0), "", "signal 11"),
        (Failed("it could not be started"), "", "it could not be started"),
    ],
)
def test_how_it_ended_is_said(end: Report, log: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "lanes.3.log").write_text(log)
    assert told(cast(Host, Scripted(Line("one"), end)), "lanes", [], tmp_path, 3, SOON) == Told(["one"], problem)


def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    host = Scripted(Line("one"))
    assert told(cast(Host, host), "lanes", [], tmp_path, 3, 0.01) == Told(["one"], "no end within 0.01 s")
    assert host.signalled == [("lanes", 3, "kill")]


def test_one_that_has_ended_is_left_alone(tmp_path: Path) -> None:
    host = Scripted(Ended(0, 0))
    assert told(cast(Host, host), "lanes", [], tmp_path, 3, SOON) == Told([])
    assert host.signalled == []


def test_a_line_that_does_not_come_in_time(tmp_path: Path) -> None:
    made = part(Scripted(), tmp_path)
    with pytest.raises(TimeoutError):
        made.line(0.01)
    made.kill()
    assert made.line(0) is None
