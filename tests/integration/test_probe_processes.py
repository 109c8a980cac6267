"""Processes of probes that hang, die, fail or never begin: what was done stands, and the rest goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from probing import done as done_by
from running import until

from orchestrator.backends import this_machine
from orchestrator.probes import performed as module
from orchestrator.probes.performed import Done, Work
from orchestrator.run.session import SessionError

STAND_IN = """\
import json, os, signal, sys, time
asked = sys.argv[sys.argv.index("--probes") + 1].split(",")
def tell(**line): os.write(1, json.dumps(line).encode() + b"\\n")  # whole, as a probe does
for name in asked:
    if name == "sleeps":
        signal.pause()
    if name == "silent":
        sys.exit("it ends beside its probes")
    tell(begin=name)
    tell(note="at it", ms=0.5)
    if name == "hangs":
        signal.pause()
    if name == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "fails":
        tell(end=name, failed="Unsettled: in vain")
    else:
        tell(end=name, observed={"step": ["IN"]})
"""
DEADLINE = 0.2


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "probes.py").write_text(STAND_IN)
    program = [sys.executable, str(tmp_path / "probes.py")]
    monkeypatch.setattr(this_machine, "part_line", lambda name, arguments: [*program, *arguments])
    yield
    ours = str(tmp_path / "probes.py")
    until(lambda: not any(ours in line for line in _lines()), "the children's end")


def _lines() -> Iterator[list[str]]:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            yield child.cmdline()


def work(*names: str, engine: str = "epoll") -> Work:
    return Work(engine, {name: DEADLINE if name == "hangs" else 60.0 for name in names})


def outcomes(*works: Work) -> dict[tuple[str, str], Done]:
    found = list(done_by(works, 2))
    assert len({done[:2] for done in found}) == len(found)
    return {done[:2]: done for done in found}


def test_one_that_hangs_is_ended_by_its_deadline_and_the_rest_goes_on() -> None:
    found = outcomes(work("one", "hangs", "two"))
    assert [done.outcome.observed for done in found.values()] == [{"step": ["IN"]}, None, {"step": ["IN"]}]
    outcome = found["hangs", "epoll"].outcome
    assert outcome.failed == "it did not end within 0.2 s"
    assert outcome.trace == ("    0.50 ms  at it",)


def test_one_that_ends_its_process_is_unknown_and_the_rest_goes_on() -> None:
    found = outcomes(work("dies", "two"))
    assert found["dies", "epoll"].outcome.failed == "its process ended with it, with signal 9"
    assert found["two", "epoll"].outcome.observed


def test_one_that_fails_says_why() -> None:
    found = outcomes(work("fails", "two"))
    assert (found["fails", "epoll"].outcome.failed, found["fails", "epoll"].outcome.observed) == (
        "Unsettled: in vain",
        None,
    )
    assert found["two", "epoll"].outcome.observed


def test_engines_go_side_by_side() -> None:
    found = outcomes(*(work("one", "two", engine=engine) for engine in ("a", "b", "c")))
    assert set(found) == {(name, engine) for name in ("one", "two") for engine in ("a", "b", "c")}


def test_a_process_that_ends_beside_its_probes_is_the_testbeds_failure() -> None:
    with pytest.raises(
        SessionError, match="probes epoll: it ended before silent: exit code 1: it ends beside its probes"
    ):
        list(done_by([work("one", "silent")], 1))


def test_a_process_that_does_not_begin_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TO_START", 0.2)
    with pytest.raises(SessionError, match=r"probes epoll: it did not begin sleeps within 0\.2 s"):
        list(done_by([work("sleeps")], 1))


def test_one_that_cannot_be_started_is_the_testbeds_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(this_machine, "part_line", lambda name, arguments: ["/nonexistent/python"])
    with pytest.raises(SessionError, match="it ended before one: it could not be started: "):
        list(done_by([work("one")], 1))


def test_who_stops_listening_ends_all_of_them() -> None:
    """The fixture waits for their end."""
    endless = Work("epoll", {"one": 60.0, "hangs": 600.0})
    found = done_by([endless], 1)
    assert next(found).probe == "one"
    found.close()  # type: ignore[attr-defined]
