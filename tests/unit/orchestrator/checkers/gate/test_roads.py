"""The road of an operation is its turn's link; a hello's is any. What stands on it tells of messages, or makes more."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import Run, cell

from chaos.faults.fault import Fault
from chaos.faults.packets import Netem, Shape
from chaos.faults.paths import Rate
from nodes.wire.record import Kind
from orchestrator.checkers.gate.roads import Road, Roads
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.scenario.cell import Link

BOTH = frozenset({"request", "reply"})
LINK = "client -> server"
COPIES = Shape(duplicate=0.5)


def roads(*links: Link, faults: tuple[Fault, ...] = (), run: Run | None = None) -> Roads:
    judged = cell(faults=faults).model_copy(update={"links": links})
    return Roads(Views(judged, Index((run or Run()).history())))


def link(target: str = "server", **options: Any) -> Link:
    told = {"from": "client", "to": target, "semantics": "maybe", "via": "relay", **options}
    return Link.model_validate(told)


def road(*targets: str, told: frozenset[str] = BOTH, counted: bool = True) -> Road:
    return Road(frozenset(f"client -> {target}" for target in targets), frozenset(targets), told, counted)


def test_operations_take_the_links_in_turn_and_a_hello_any() -> None:
    found = roads(link(), link("two"), link("three"))
    assert [found.of("client", seq) for seq in (1, 2, 3, 4)] == list(map(road, ("server", "two", "three", "server")))
    assert found.of("client", 0) == road("server", "two", "three")
    assert found.of("client", 2) == road("two")


def test_where_one_link_tells_nothing_a_hello_is_not_told_of() -> None:
    found = roads(link(), link("two", via="direct"))
    assert [found.of("client", seq).told for seq in (0, 1, 2)] == [frozenset(), BOTH, frozenset()]


def test_a_stream_without_identity_tells_nothing_of_its_direction() -> None:
    run = Run().note("relay", 1, Kind.UNIDENTIFIED, link=LINK, direction="reply")
    found = roads(link(), link("two"), run=run)
    assert found.of("client", 1) == road("server", told=frozenset({"request"}), counted=False)
    assert found.of("client", 2) == road("two")


@pytest.mark.parametrize(
    ("transport", "via", "fault", "counted"),
    [
        ("udp", "direct", Netem(link=LINK, netem=COPIES), False),
        ("tcp", "direct", Netem(link=LINK, netem=COPIES), True),
        ("udp", "relay", Netem(link=LINK, netem=COPIES), True),
        ("udp", "direct", Netem(link="client -> two", netem=COPIES), True),
        ("udp", "direct", Netem(link=LINK, netem=Shape(loss=0.5)), True),
        ("udp", "direct", Rate(link=LINK, rate="both", bytes_per_second=100), True),
    ],
)
def test_netem_makes_more_of_datagrams_alone(transport: str, via: str, fault: Fault, counted: bool) -> None:
    found = roads(link(transport=transport, via=via), faults=(fault,))
    assert found.of("client", 1).counted is counted
