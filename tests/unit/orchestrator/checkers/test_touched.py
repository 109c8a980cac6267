"""What something was done to is caught; what only took longer is late, and tells of the machine."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run, cell

from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

FIRST = (CLIENT, 1)


def bites(run: Run) -> Bite:
    """What happened to operation 1, whose second attempt is answered."""
    run.send(1, 2, connection=2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, 1).ok(1, 1)
    return bite(Setting(cell(), Index(run.healed(2).history())))


def begun() -> Run:
    return Run().invoke(1).send(1).decide("request", 1)


@pytest.mark.parametrize(
    "run",
    [
        begun().end(1, error="end of file"),
        Run().invoke(1).unconnected(1),
        Run().invoke(1).send(1).decide("request", 1, act="lost"),
        Run().invoke(1).decide("request", 0, act="drop").reply(0).send(1),
        Run().decide("request", 0, act="drop").invoke(1).reply(0).send(1),
    ],
    ids=[
        "ended",
        "unconnected",
        "decided about",
        "its hello decided about",
        "an earlier hello decided about, and not answered",
    ],
)
def test_what_was_done_to_is_caught_and_not_late(run: Run) -> None:
    found = bites(run)
    assert (found.caught, found.late) == ({FIRST}, frozenset())


@pytest.mark.parametrize(
    "run",
    [
        begun(),
        begun().end(1, error="timeout"),
        Run().invoke(1).decide("request", 0).send(1),
        Run().decide("request", 0, act="drop").reply(0).invoke(1).send(1),
    ],
    ids=["sent again", "timed out", "its hello passed", "an earlier hello decided about, and answered"],
)
def test_what_nothing_was_done_to_is_late(run: Run) -> None:
    found = bites(run)
    assert (found.caught, found.late) == ({FIRST}, {FIRST})
