"""The scenarios of scenarios/containers: streams behind Toxiproxy, packets in the kernel, processes on direct links.

Every cell comes to the verdict that it expects (a share of each scenario's, without FAULTBED_TESTS=all); what
`faultbed planes` says to be reached is reached; and a broken mechanism is convicted by a plane that sees no messages as
it is by the relay.
"""

from __future__ import annotations

import pytest
import suite
from requirements import need, need_root
from suite import Ran

from nodes.wire.record import Kind
from orchestrator.report.planes import place, reached
from orchestrator.report.result import Exit
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Cell, Variant
from orchestrator.scenario.shipped import plans

pytestmark = pytest.mark.timeout(600)  # the first test of each plane runs all of its cells

GROUPS = [
    pytest.param(name, marks=pytest.mark.xdist_group(f"containers-{name}"))
    for name in ("toxiproxy", "packet", "process")
]
TABLED = {"toxiproxy": {"toxiproxy"}, "packet": {"netfilter"}, "process": {"process"}}
"""What the table calls the planes of each group."""


def of_group(group: str) -> list[Cell]:
    return suite.share([cell for cell in suite.applicable(plans(["containers"])) if belongs(cell) == group])


def belongs(cell: Cell) -> str:
    """By the plane that performs its faults; a kill behind Toxiproxy needs Toxiproxy all the same."""
    return next((plane for plane in planes(cell) if plane != "relay"), "process")


@pytest.fixture(scope="module")
def toxiproxy() -> list[Ran]:
    need("toxiproxy-server", "toxiproxy")
    return suite.run(of_group("toxiproxy"), "local")


@pytest.fixture(scope="module")
def packet() -> list[Ran]:
    need("nft", "netfilter")
    need_root()
    return suite.run(of_group("packet"), "local")


@pytest.fixture(scope="module")
def process() -> list[Ran]:
    return suite.run(of_group("process"), "local")


@pytest.fixture(params=GROUPS)
def group(request: pytest.FixtureRequest) -> tuple[str, list[Ran]]:
    return request.param, request.getfixturevalue(request.param)


def test_every_cell_is_as_expected(group: tuple[str, list[Ran]]) -> None:
    _, ran = group
    assert suite.not_met(ran) == []
    assert {one.result.exit_code for one in ran} == {Exit.MET}


def test_every_fault_is_applied_and_effective(group: tuple[str, list[Ran]]) -> None:
    _, ran = group
    steps = [
        (suite.name(one.result.cell), step) for one in ran if (found := one.result.judgement) for step in found.faults
    ]
    assert [(name, step) for name, step in steps if not (step.applied and step.effective)] == []
    assert len(steps) >= len(ran)


def test_what_the_table_of_planes_claims_is_reached(group: tuple[str, list[Ran]]) -> None:
    name, ran = group
    claimed = {where: what for where, what in reached(of_group(name)).items() if where[0] in TABLED[name]}
    made: dict[tuple[str, str, str], set[str]] = {}
    for one in ran:
        where = place(one.result.cell)
        if where is not None and one.result.judgement is not None:
            made.setdefault(where, set()).update(one.result.judgement.opportunities)
    assert claimed
    assert [where for where, what in claimed.items() if not set(what.opportunities) <= made[where]] == []


@pytest.mark.xdist_group("containers-packet")
def test_a_packet_fault_is_counted_by_the_kernel(packet: list[Ran]) -> None:
    for one in packet:
        counted = [event.detail["packets"] for event in one.history.events if event.kind is Kind.COUNTER]
        assert sum(counted) > 0, suite.name(one.result.cell)


def broken(scenario: str, axes: dict[str, str], variant: Variant) -> Cell:
    """A cell whose mechanism is a broken variant."""
    cells = suite.applicable(plans([f"containers/{scenario}"]))
    cell = next(cell for cell in cells if axes.items() <= cell.axes.items())
    links = tuple(link.model_copy(update={"variant": variant}) for link in cell.links)
    return cell.model_copy(update={"links": links})


def convicted(cell: Cell) -> set[str]:
    (ran,) = suite.run([cell], "local")
    assert ran.result.exit_code is Exit.UNMET
    assert ran.result.judgement is not None
    return {found.name for found in ran.result.judgement.expectations if found.verdict == "unmet"}


def test_a_mechanism_without_a_filter_is_convicted_behind_toxiproxy() -> None:
    need("toxiproxy-server", "toxiproxy")
    for scenario in ("02-reply-lost-timeout", "07b-cut-before-reply-toxiproxy", "latency-past-timeout"):
        found = convicted(broken(scenario, {"semantics": "at-most-once"}, "no-duplicate-filter"))
        assert {"bitten", "delivery", "reference"} <= found, scenario


def test_a_mechanism_without_a_filter_is_convicted_where_packets_are_lost() -> None:
    need("nft", "netfilter")
    need_root()
    for scenario in ("02-reply-lost-packets", "13b-partition-reply-packets"):
        found = convicted(broken(scenario, {"semantics": "at-most-once"}, "no-duplicate-filter"))
        assert {"bitten", "delivery", "reference"} <= found, scenario


def test_a_client_that_calls_the_unknown_a_failure_is_convicted() -> None:
    need("toxiproxy-server", "toxiproxy")
    found = convicted(broken("02-reply-lost-timeout", {"semantics": "maybe"}, "unknown-as-fail"))
    assert {"bitten", "delivery"} <= found
