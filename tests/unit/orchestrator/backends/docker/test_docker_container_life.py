"""A container's life at an engine that is slow, refuses, or goes away: what is told of it, and in which order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from docker.errors import APIError

from orchestrator.backends.docker import container as container_module
from orchestrator.backends.docker.container import Container
from orchestrator.backends.docker.engine import Refused
from orchestrator.backends.host import Ended, Failed, Launch, Line, Report, Spawned, Stopped
from orchestrator.run.session import SessionError


class Engine:
    """Stands for the engine's API: one container, which prints a line and goes on until it is killed."""

    def __init__(self) -> None:
        self.api = self
        self.asked: list[str] = []
        self.refusals: list[str] = []
        self.vanished = False
        self.broken: Exception | None = None
        self.killed = threading.Event()

    def attach_socket(self, name: str, params: dict[str, int]) -> Any:
        nothing = SimpleNamespace(close=lambda: None)
        return SimpleNamespace(_response=nothing, close=lambda: None)

    def start(self, name: str) -> None:
        self.asked.append("start")

    def inspect_container(self, name: str) -> dict[str, Any]:
        return {"State": {"Pid": 7, "Running": not self.killed.is_set(), "ExitCode": 137}}

    def wait(self, name: str) -> None:
        if self.vanished:
            raise requests.exceptions.ConnectionError("aborted")

    def pause(self, name: str) -> None:
        self.asked.append("pause")
        if self.vanished:
            raise requests.exceptions.ConnectionError("aborted")
        if self.refusals:
            raise APIError("no", requests.Response(), self.refusals.pop(0))

    def unpause(self, name: str) -> None:
        self.asked.append("unpause")

    def kill(self, name: str, signal: str) -> None:
        self.asked.append(signal)
        if signal == "SIGKILL":
            self.killed.set()

    def frames(self) -> Iterator[tuple[int, bytes]]:
        yield 1, b"control 0.0.0.0 9\n"
        self.killed.wait()
        if self.broken is not None:
            raise self.broken


class Life:
    """A container, and what it told."""

    def __init__(self, engine: Engine, folder: Path, create: Any = lambda: None, gate: Any = None) -> None:
        self.told: queue.SimpleQueue[Report] = queue.SimpleQueue()
        launch = Launch("server", "node", 1, "epoll", "aa", folder / "log")
        gate = gate or threading.Semaphore(1)
        self.container = Container(engine, "c", launch, create, gate, self.told.put)  # type: ignore[arg-type]

    def take(self, number: int) -> list[Report]:
        return [self.told.get(timeout=100) for _ in range(number)]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    made = Engine()
    monkeypatch.setattr(container_module, "frames_iter_no_tty", lambda output: made.frames())
    yield made
    made.killed.set()


def test_from_start_to_kill(engine: Engine, tmp_path: Path) -> None:
    life = Life(engine, tmp_path)
    assert life.take(2) == [Spawned(7), Line("control 0.0.0.0 9")]
    life.container.signal("stop")
    life.container.signal("kill")
    assert life.take(2) == [Stopped(), Ended(9, 0)]
    life.container.close(10)
    assert engine.asked == ["start", "pause", "SIGKILL", "unpause"], "it must not run on between"


def test_one_that_stopped_itself_is_woken_by_a_signal(engine: Engine, tmp_path: Path) -> None:
    life = Life(engine, tmp_path)
    life.take(2)
    life.container.signal("continue")
    life.container.signal("kill")
    life.take(1)
    life.container.close(10)
    assert engine.asked == ["start", "SIGCONT", "SIGKILL"]


def test_one_that_is_killed_before_its_turn_is_never_made(engine: Engine, tmp_path: Path) -> None:
    gate = threading.Semaphore(0)
    life = Life(engine, tmp_path, lambda: pytest.fail("it was made"), gate)
    life.container.signal("kill")
    gate.release()
    assert life.take(1) == [Failed("it was killed before it was started")]
    life.container.close(10)
    assert engine.asked == []


def test_a_refusal_to_make_it_is_told(engine: Engine, tmp_path: Path) -> None:
    def create() -> None:
        raise Refused("the Docker engine could not create it: no space left")

    life = Life(engine, tmp_path, create)
    assert life.take(1) == [Failed("the Docker engine could not create it: no space left")]
    life.container.signal("kill")  # no effect, and no wait
    life.container.close(10)


@pytest.mark.parametrize("error", [SessionError("name taken"), OSError("disk"), RuntimeError("odd")])
def test_whatever_fails_in_making_it_is_told_at_once(engine: Engine, tmp_path: Path, error: Exception) -> None:
    def create() -> None:
        raise error

    life = Life(engine, tmp_path, create)
    (failed,) = life.take(1)
    assert isinstance(failed, Failed)
    assert str(error) in failed.reason
    life.container.close(10)


@pytest.mark.parametrize("error", [ConnectionResetError("reset"), requests.exceptions.ChunkedEncodingError("cut")])
def test_a_stream_that_breaks_is_the_engines_failure(engine: Engine, tmp_path: Path, error: Exception) -> None:
    life = Life(engine, tmp_path)
    life.take(2)
    engine.broken = error
    engine.killed.set()
    (failed,) = life.take(1)
    assert isinstance(failed, Failed)
    assert "the Docker engine" in failed.reason
    assert "its log" not in failed.reason
    life.container.close(10)


def test_a_signal_that_is_not_answered_makes_the_run_worthless_and_says_why(engine: Engine, tmp_path: Path) -> None:
    life = Life(engine, tmp_path)
    life.take(2)
    engine.vanished = True
    life.container.signal("stop")
    (failed,) = life.take(1)
    assert isinstance(failed, Failed)
    assert "is it still running?" in failed.reason
    life.container.close(10)


def test_an_engine_that_goes_away_is_told(engine: Engine, tmp_path: Path) -> None:
    life = Life(engine, tmp_path)
    life.take(2)
    engine.vanished = True
    engine.killed.set()  # the stream ends with the connection
    (failed,) = life.take(1)
    assert isinstance(failed, Failed)
    assert "is it still running?" in failed.reason
    life.container.close(10)


def test_a_freezer_that_does_not_get_hold_of_it_is_asked_again(engine: Engine, tmp_path: Path) -> None:
    engine.refusals = ["OCI runtime pause failed: unable to freeze: unknown"] * 2
    life = Life(engine, tmp_path)
    life.take(2)
    life.container.signal("stop")
    assert life.take(1) == [Stopped()]
    assert engine.asked == ["start", "pause", "pause", "pause"]
    life.container.signal("kill")
    assert life.take(1) == [Ended(9, 0)]
    life.container.close(10)


def test_a_pause_that_is_refused_makes_the_run_worthless_and_says_why(engine: Engine, tmp_path: Path) -> None:
    engine.refusals = ["no freezer here"]
    life = Life(engine, tmp_path)
    life.take(2)
    life.container.signal("stop")
    (failed,) = life.take(1)
    assert isinstance(failed, Failed)
    assert "could not stop the container of server: no freezer here" in failed.reason
    life.container.close(10)


def test_what_nobody_expected_is_told_as_the_reason_of_its_end(engine: Engine, tmp_path: Path) -> None:
    def create() -> None:
        raise ValueError("of no use")

    life = Life(engine, tmp_path, create)
    assert life.take(1) == [Failed("what it does is not known: ValueError: of no use")]
    life.container.close(10)
