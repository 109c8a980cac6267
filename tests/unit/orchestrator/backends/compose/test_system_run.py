"""What is undone however a cell of a system ends, what is told of it, and when its oracle is believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.backends.compose import systems as run
from orchestrator.backends.compose.systems import READINGS, quiet, undone
from orchestrator.oracles.effects import Effect
from orchestrator.oracles.places import Places
from orchestrator.run.attention import RunFailed
from orchestrator.run.session import SessionError

SYSTEM: Any = type("System", (), {"oracle": None})
NOWHERE: Any = Places({}, None)  # type: ignore[arg-type]


class Undoing:
    """Two acts, of which some fail."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = failures
        self.done = 0

    def acts(self) -> Iterator[Any]:
        for failure in self.failures:
            yield lambda failure=failure: self._act(failure)

    def _act(self, failure: Exception | None) -> None:
        self.done += 1
        if failure is not None:
            raise failure


def test_everything_is_undone_though_some_of_it_fails_and_all_is_told() -> None:
    undoing = Undoing(OSError("the disk is full"), SessionError("the network stays"))
    with pytest.raises(SessionError, match=r"^the disk is full; then the network stays$"), undone(*undoing.acts()):
        pass
    assert undoing.done == 2


def test_the_first_failure_is_told_first() -> None:
    undoing = Undoing(SessionError("no logs"), None)
    with pytest.raises(SessionError, match=r"^subnet taken; then no logs$"), undone(*undoing.acts()):
        raise RunFailed("subnet taken")
    assert undoing.done == 2


def test_what_is_undone_in_order_changes_nothing_of_what_is_told() -> None:
    undoing = Undoing(None, None)
    with pytest.raises(RunFailed, match="subnet taken"), undone(*undoing.acts()):
        raise RunFailed("subnet taken")
    assert undoing.done == 2


def test_an_interrupt_is_one_whatever_undoing_comes_to() -> None:
    undoing = Undoing(SessionError("no logs"), None)
    with pytest.raises(KeyboardInterrupt), undone(*undoing.acts()):
        raise KeyboardInterrupt
    assert undoing.done == 2


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the oracle says next: so many effects."""
    said: list[int] = []
    monkeypatch.setattr(run.reading, "read", lambda oracle, places: (Effect(101000001, said.pop(0)),))
    return said


def test_an_oracle_is_believed_once_it_says_the_same_twice(answers: list[int]) -> None:
    answers += [1, 2, 3, 3, 4]
    assert quiet(SYSTEM, NOWHERE, lambda: False) == (Effect(101000001, 3),)


def test_one_that_never_does_is_told(answers: list[int]) -> None:
    answers += range(READINGS + 1)
    with pytest.raises(SessionError, match="still at work"):
        quiet(SYSTEM, NOWHERE, lambda: False)


def test_an_interrupt_ends_the_asking(answers: list[int]) -> None:
    answers += [1, 2, 3]
    with pytest.raises(KeyboardInterrupt):
        quiet(SYSTEM, NOWHERE, lambda: len(answers) == 1)
    assert answers == [3]
