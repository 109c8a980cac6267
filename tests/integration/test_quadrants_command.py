"""`faultbed quadrants`, as a user has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from running import in_process

from nodes.lanes import NAMES
from orchestrator.commands import quadrants


def test_it_shows_every_lane(tmp_path: Path) -> None:
    code, out, err = in_process(tmp_path, "quadrants", "--svg", "lanes.svg", "--json", "lanes.json")
    assert (code, err) == (0, "")
    told = json.loads((tmp_path / "lanes.json").read_text())
    assert told.keys() == set(NAMES)
    for name, seen in told.items():
        assert f"{name}: not here: " in out if isinstance(seen, str) else f"\n{name} " in f"\n{out}"
    assert (tmp_path / "lanes.svg").read_text().startswith("<svg")


def test_one_lane_alone(tmp_path: Path) -> None:
    code, out, _ = in_process(tmp_path, "quadrants", "--lane", "poll")
    assert code == 0
    assert "epoll" not in out


def test_a_lane_that_there_is_not_is_refused_before_anything_starts(tmp_path: Path) -> None:
    code, out, err = in_process(tmp_path, "quadrants", "--lane", "warp", "--json", "lanes.json")
    assert (code, out) == (4, "")
    assert "there is no lane 'warp'; there are aio_callback, " in err
    assert list(tmp_path.iterdir()) == []


def test_a_lane_that_cannot_be_had_here_is_left_out_and_refused_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nodes.lanes.poll.availability", lambda: "there is no poll")
    code, out, _ = in_process(tmp_path, "quadrants")
    assert code == 0
    assert "poll: not here: there is no poll" in out
    code, out, err = in_process(tmp_path, "quadrants", "--lane", "poll")
    assert (code, out) == (4, "")
    assert "lane poll: there is no poll" in err


def test_one_that_has_no_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quadrants, "PATIENCE", 0.01)
    code, out, _ = in_process(tmp_path, "quadrants", "--lane", "blocking")
    assert code == 3
    assert "blocking: it failed: no end within 0 s" in out


def test_one_that_fails_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faultbed.part.command", lambda name: ["false"])
    code, out, _ = in_process(tmp_path, "quadrants", "--lane", "blocking")
    assert code == 3
    assert "blocking: it failed: exit code 1" in out
