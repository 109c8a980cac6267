"""What is said of an error: one message, and the first cause with the last."""

from __future__ import annotations

import pytest

from orchestrator.run.attention import RunFailed
from orchestrator.run.session import SessionError
from orchestrator.sweep.failures import said, with_first


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device", "plan.json"), "plan.json: No space left on device"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("told in words"), "told in words"),
        (RunFailed("waited 5 ms"), "waited 5 ms"),
        (KeyError("x"), "a defect of Faultbed, not of what it was given: KeyError: 'x'"),
    ],
)
def test_one_message(error: Exception, message: str) -> None:
    assert said(error) == message


def test_memory() -> None:
    assert "not enough memory" in said(MemoryError())


def lost_after_a_death() -> None:
    """As a session does it: what failed is told, and then its evidence cannot be kept."""
    try:
        raise RunFailed("a node died")
    finally:
        try:
            raise OSError(28, "the disk is full", "history")
        except OSError as error:
            raise OSError(28, "full", "history") from error


def test_the_first_failure_is_told_with_the_last() -> None:
    with pytest.raises(OSError, match="full") as caught:
        lost_after_a_death()
    assert with_first(caught.value) == "history: full; before that: a node died"


def test_one_alone_has_none_before_it() -> None:
    assert with_first(SessionError("no engine")) == "no engine"
