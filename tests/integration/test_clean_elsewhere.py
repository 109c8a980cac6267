"""`faultbed clean` in another PID namespace, with the same /run/netns and the same /tmp: a living run loses nothing."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from groups import ALONE
from requirements import need, need_root
from running import COMMAND, Running

from orchestrator.agent.folders import new_folder
from orchestrator.backends.leftovers import orchestrator_id, place_mark
from orchestrator.backends.local.namespaces import availability
from orchestrator.backends.local.switch import Owner, Switch, leftovers, remove

pytestmark = ALONE

RUN = f"c1ea{secrets.token_hex(6)}"
"""Another one each time, so that two suites on one machine do not make the same interface."""
DEAD = "4194305:1.0"
"""No process has this number: it is above every PID_MAX_LIMIT (proc(5))."""
ELSEWHERE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--")
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _privileged() -> None:
    need_root()
    need("unshare", "root")
    if reason := availability():
        pytest.skip(f"namespaces: {reason}")


def clean(folder: Path, *prefix: str) -> str:
    """-> what it printed. No engine is asked."""
    command = [*prefix, "env", "DOCKER_HOST=unix:///nowhere", *COMMAND]
    with Running(folder, "clean", command=command) as running:
        code, out, err = running.end()
    assert (code, err) == (0, "")
    return out


def owner(orchestrator: str, place: str) -> Owner:
    return Owner(place, RUN, orchestrator, next(_numbers))


@pytest.fixture
def living() -> Iterator[Switch]:
    """The network of this process's run."""
    made = Switch(owner(orchestrator_id(), place_mark()), ["server"])
    yield made
    made.close()


def test_a_living_runs_network_is_left_alone(living: Switch, tmp_path: Path) -> None:
    assert f"of run {RUN}" not in clean(tmp_path, *ELSEWHERE)
    assert Path(living.path("server")).exists()


def test_a_living_agents_folder_is_left_alone(tmp_path: Path) -> None:
    folder = new_folder()
    try:
        assert str(folder) not in clean(tmp_path, *ELSEWHERE)
        assert folder.exists()
    finally:
        folder.rmdir()


def test_what_was_left_at_another_place_is_that_places_to_remove(tmp_path: Path) -> None:
    here, there = owner(DEAD, place_mark()), owner(DEAD, "00000000")
    try:
        for one in (here, there):
            Switch(one, ["server"])
        assert here in leftovers()
        assert there not in leftovers()
        out = clean(tmp_path)
        assert f"removed the network of cell {here.number} of run {RUN}" in out
        assert f"cell {there.number} of" not in out
        assert Path(f"/run/netns/{there.namespace('server')}").exists()
    finally:
        remove(here)
        remove(there)
