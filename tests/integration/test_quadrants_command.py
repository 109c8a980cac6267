"""`faultbed quadrants`, as a user has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from agents import inventory, running_agents, token_file
from running import in_process

from nodes.lanes import NAMES
from orchestrator.backends import this_machine
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


def instead(monkeypatch: pytest.MonkeyPatch, *command: str) -> None:
    """Of every lane."""
    monkeypatch.setattr(this_machine, "part_line", lambda name, arguments: list(command))


def test_a_lane_that_cannot_be_had_here_is_left_out_and_refused_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead(monkeypatch, "echo", json.dumps({"missing": "there is none"}))
    code, out, _ = in_process(tmp_path, "quadrants")
    assert code == 0
    assert "poll: not here: there is none" in out
    code, out, err = in_process(tmp_path, "quadrants", "--lane", "poll")
    assert (code, out) == (4, "")
    assert "lane poll: not here: there is none" in err


def test_one_that_has_no_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quadrants, "PATIENCE", 0.1)
    instead(monkeypatch, "sleep", "600")
    code, out, _ = in_process(tmp_path, "quadrants", "--lane", "blocking")
    assert code == 3
    assert "blocking: it failed: no end within 0.1 s" in out


def test_one_that_fails_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, "sh", "-c", "echo wrong >&2; exit 1")
    code, out, _ = in_process(tmp_path, "quadrants", "--lane", "blocking")
    assert code == 3
    assert "blocking: it failed: exit code 1: wrong" in out
    instead(monkeypatch, "no-such-program")
    code, out, _ = in_process(tmp_path, "quadrants", "--lane", "blocking")
    assert code == 3
    assert "blocking: it failed: it could not be started: " in out


def test_the_simulator_has_no_lanes(tmp_path: Path) -> None:
    code, out, err = in_process(tmp_path, "quadrants", "--backend", "sim")
    assert (code, out) == (4, "")
    assert "--backend sim: it has no sockets of a real system" in err


def test_on_agents_each_has_its_lanes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running_agents(tmp_path, (), ()) as (alpha, beta):
        names = inventory(tmp_path, token_file(tmp_path), alpha=alpha.address, beta=beta.address)
        where = ("--backend", "attach", "--inventory", str(names))
        code, out, err = in_process(tmp_path, "quadrants", *where, "--lane", "poll", "--lane", "non_blocking")
        for agent in (alpha, beta):
            agent.all_gone()
    assert (code, err) == (0, "")
    assert [line.split("  ")[0] for line in out.splitlines()[:4]] == [
        "alpha: non_blocking",
        "beta: non_blocking",
        "alpha: poll",
        "beta: poll",
    ]


def test_in_containers_too(docker_engine: object, node_image: str, tmp_path: Path) -> None:
    """Docker's own profile forbids io_uring."""
    code, out, err = in_process(tmp_path, "quadrants", "--backend", "docker", "--image", node_image)
    assert (code, err) == (0, "")
    assert "io_uring: not here: io_uring_setup is forbidden here" in out
    assert all(f"\n{name} " in f"\n{out}" for name in NAMES if name != "io_uring")
