"""A run is drained when planes hold nothing, servers execute nothing, and what was passed was received."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import cell

from chaos.faults.fault import Fault
from chaos.faults.paths import Partition
from chaos.faults.peers import Crowd
from chaos.faults.streams import Down
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


def left(connections: int, fault: Fault, via: str) -> bool:
    """Of a server that so many connections are left of, where a crowd of three was there."""
    crowd = Crowd(crowd="silent", link=LINK, connections=3)
    made = cell(faults=(crowd, fault), via=via)
    return drained(made, {"server": 1}, [], {"server": {"links": {LINK: DONE | {"connections": connections}}}})


@pytest.mark.parametrize(
    ("fault", "via"), [(Partition(partition="both", link=LINK), "direct"), (Down(down=True, link=LINK), "toxiproxy")]
)
def test_a_crowd_may_have_left_without_the_servers_being_told(fault: Fault, via: str) -> None:
    assert left(3, fault, via)
    assert not left(4, fault, via)


def test_else_nobody_leaves_without_a_word() -> None:
    assert left(0, Partition(partition="both", link=LINK), "relay")
    assert not left(1, Partition(partition="both", link=LINK), "relay")


def test_what_was_passed_to_an_epoch_that_is_gone_is_not_waited_for() -> None:
    assert is_drained({}, {"received": 0, "broken": 0}, epoch=3)


def test_a_stream_is_drained_when_its_connections_are_gone() -> None:
    assert is_drained({}, {"received": 0}, transport="tcp")
