"""The scenarios of scenarios/mux: each engine's real server among peers that do not behave, and servers that are wrong.

Every cell comes to the verdict that it expects (a share of each scenario's, without FAULTBED_TESTS=all): no connection
is lost or starved, the server answers afterwards, and it really went through what it was to go through. Who is wrong is
convicted by the scenario that is named for it.
"""

from __future__ import annotations

from typing import get_args

import pytest
import server_matrix
import suite
from requirements import need, need_root
from server_matrix import NAMED, SERVERS, Server

from nodes.engines import NAMES, availability
from orchestrator.report.result import Exit
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Cell, EngineVariant, Strain
from orchestrator.scenario.plan import Plan
from orchestrator.scenario.shipped import plans

pytestmark = pytest.mark.timeout(600)

PLANS = {plan.scenario: plan for plan in plans(["mux"])}
OF_EVERY_ENGINE = [name for name in PLANS if not name.startswith(server_matrix.WRONG) and name != "thundering-herd"]
EACH = [pytest.param(name, marks=pytest.mark.xdist_group(f"mux-{name}")) for name in PLANS]


def here(plan: Plan, plane: str) -> list[Cell]:
    """The cells that this plane makes, on engines that this machine has."""
    cells = [cell for cell in suite.share(suite.applicable([plan])) if _plane(cell) == plane]
    return [cell for cell in cells if all(availability(node.engine) is None for node in cell.servers.values())]


def _plane(cell: Cell) -> str:
    return next((plane for plane in planes(cell) if plane != "relay"), "relay")


def met(plan: Plan, plane: str) -> None:
    ran = suite.run(here(plan, plane), "local")
    assert suite.not_met(ran) == []
    assert {one.result.exit_code for one in ran} <= {Exit.MET}


@pytest.mark.parametrize("name", EACH)
def test_each_is_as_expected(name: str) -> None:
    """Over direct links and through the relay."""
    met(PLANS[name], "relay")


@pytest.mark.parametrize("name", EACH)
def test_each_is_as_expected_through_toxiproxy(name: str) -> None:
    if not here(PLANS[name], "toxiproxy"):
        pytest.skip("mux: none of its links goes through Toxiproxy")
    need("toxiproxy-server", "toxiproxy")
    met(PLANS[name], "toxiproxy")


@pytest.mark.parametrize("name", EACH)
def test_each_is_as_expected_among_packet_faults(name: str) -> None:
    if not here(PLANS[name], "packet"):
        pytest.skip("mux: it has no packet faults")
    need("nft", "netfilter")
    need_root()
    met(PLANS[name], "packet")


@pytest.mark.parametrize("name", OF_EVERY_ENGINE)
def test_each_has_the_server_of_every_engine(name: str) -> None:
    cells = PLANS[name].cells
    assert {server.engine for cell in cells for server in cell.servers.values()} == set(NAMES)


def test_every_strain_and_every_plane_is_somewhere() -> None:
    cells = [cell for plan in PLANS.values() for cell in plan.cells]
    assert {strain for cell in cells for strain in cell.expect.strained} == set(get_args(Strain))
    assert {plane for cell in cells for plane in planes(cell)} == {"relay", "toxiproxy", "packet"}


@pytest.mark.parametrize(
    "server", [pytest.param(each, id=each.variant, marks=pytest.mark.xdist_group(each.variant)) for each in SERVERS]
)
def test_the_named_scenario_convicts_a_server_that_is_wrong(server: Server) -> None:
    scenario, check = NAMED[server.variant]
    [cell] = [cell for cell in server_matrix.cells(server) if cell.scenario == scenario]
    for _ in range(suite.TIMES):  # where there is too much else to do it shows nothing
        [row] = server_matrix.run([cell])
        if row.checks != server_matrix.NOTHING:
            break
    assert check in row.checks


def test_the_stored_matrix_has_every_variant_and_who_is_named_convicts() -> None:
    stored = server_matrix.stored()
    assert set(stored) == set(NAMED) == {server.variant for server in SERVERS} == set(get_args(EngineVariant))
    for variant, (scenario, check) in NAMED.items():
        assert check in stored[variant][scenario]
        assert f"{server_matrix.WRONG}{variant}" in PLANS
