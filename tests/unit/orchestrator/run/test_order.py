"""In which order processes start and are configured."""

from __future__ import annotations

from history_builder import cell

from orchestrator.run.order import Step, steps
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

SYSTEM = """
scenario: orders
system: {compose: docker-compose.yml}
links:
  - {from: driver, to: "orders:8080", framer: http1, via: VIA}
  - {from: orders, to: "redis:6379", framer: resp, via: VIA}
driver: {exec: ./drive.py}
oracle: {redis: HGETALL booked, at: "redis:6379"}
expect: {others: {client: ok, executions: 1}}
"""
SERVICES = {"orders": {"depends_on": {"redis": {}}}, "redis": {}}


def order(made: Cell) -> list[tuple[str, tuple[str, ...]]]:
    return [(step.do, step.names) for step in steps(made, planes(made), SERVICES if made.system else {})]


def test_nodes_of_ours_start_side_by_side_and_clients_are_configured_last() -> None:
    assert order(cell()) == [
        ("start", ("relay", "server", "client")),
        ("configure", ("server",)),
        ("configure", ("relay",)),
        ("ready", ("server",)),
        ("configure", ("client",)),
    ]


def test_a_systems_services_come_in_waves_behind_planes_that_are_configured() -> None:
    made = expand(SYSTEM.replace("VIA", "relay"), "orders.yaml").cells[0]
    assert order(made) == [
        ("start", ("relay", "driver")),
        ("configure", ("relay",)),
        ("unserved", ("orders", "redis")),
        ("start", ("redis",)),
        ("start", ("orders",)),
        ("configure", ("driver",)),
    ]


def test_a_proxy_that_is_a_service_is_there_before_the_plane_that_steers_it() -> None:
    made = expand(SYSTEM.replace("VIA", "toxiproxy"), "orders.yaml").cells[0]
    first, second, *_ = steps(made, planes(made), SERVICES)
    assert first == Step("start", ("faultbed-proxy",))
    assert second.names == ("toxiproxy", "driver")
