"""Calls are tried as often as the plan says, and given up no sooner."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run, cell

from orchestrator.checkers.gate.attempts import attempts_are_as_many_as_planned
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index

CALL = f"operation 1 of client {CLIENT}"


def told(run: Run, semantics: str = "at-most-once", attempts: int | None = None) -> list[str]:
    of = cell(semantics, attempts=attempts)
    return list(attempts_are_as_many_as_planned(Views(of, Index(run.healed(2).history()))))


def tried(times: int, error: str = "") -> Run:
    run = Run().invoke(1)
    for attempt in range(1, times + 1):
        run.send(1, attempt)
    return run.info(1, error) if error else run.run(1).reply(1, 1, 1).ok(1, 1)


@pytest.mark.parametrize("error", ["", "no reply", "no connection", "the connection ended"])
def test_as_often_as_the_plan_says(error: str) -> None:
    assert told(tried(3, error), attempts=3) == []


def test_once_more_is_too_often() -> None:
    assert told(tried(4), attempts=3) == [f"{CALL} had 4 attempts; the plan has 3 attempts"]
    assert told(tried(2), "maybe") == [f"{CALL} had 2 attempts; the plan has 1 attempts"]
    assert told(tried(9)) == told(tried(1)) == []


@pytest.mark.parametrize("error", ["no reply", "no connection", "the connection ended"])
def test_once_less_is_too_soon(error: str) -> None:
    [line] = told(tried(2, error), attempts=3)
    assert line == f"{CALL} was given up ({error}) after 2 attempts; the plan has 3 attempts"
    [line] = told(tried(2, error))
    assert line == f"{CALL} was given up ({error}) after 2 attempts; the plan has until settling"


def test_settling_ends_a_call_at_any_attempt() -> None:
    assert told(tried(2, "no reply when settling ended"), attempts=3) == []
