"""A run is drained when planes hold nothing, servers execute nothing, and what was passed was received."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import cell

from orchestrator.run.drained import drained
from orchestrator.scenario.cell import Cell

LINK = "client -> server"
IDLE: dict[str, Any] = {"held": 0, "pending": 0, "connections": 0, "passed": {LINK: {"2": 5}}}
DONE = {"executing": 0, "connections": 0, "received": 4, "broken": 1}


def over(transport: str) -> Cell:
    made = cell()
    return made.model_copy(update={"links": (made.links[0].model_copy(update={"transport": transport}),)})


def is_drained(relay: dict[str, Any], counts: dict[str, int], transport: str = "udp", epoch: int = 2) -> bool:
    return drained(over(transport), {"server": epoch}, [IDLE | relay], {"server": {"links": {LINK: DONE | counts}}})


def test_everything_is_at_rest() -> None:
    assert is_drained({}, {})
    assert is_drained({}, {"received": 6})


@pytest.mark.parametrize("relay", [{"held": 1}, {"pending": 1}, {"connections": 1}])
def test_the_relay_has_something(relay: dict[str, int]) -> None:
    assert not is_drained(relay, {})


@pytest.mark.parametrize("counts", [{"executing": 1}, {"connections": 1}, {"received": 3}])
def test_a_server_has_something_or_waits_for_it(counts: dict[str, int]) -> None:
    assert not is_drained({}, counts)


def test_what_was_passed_to_an_epoch_that_is_gone_is_not_waited_for() -> None:
    assert is_drained({}, {"received": 0, "broken": 0}, epoch=3)


def test_a_stream_is_drained_when_its_connections_are_gone() -> None:
    assert is_drained({}, {"received": 0}, transport="tcp")
