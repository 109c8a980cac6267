"""What a scenario's links and oracle cannot do with a project, told before anything is started."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.backends.compose.feasible import problems
from orchestrator.scenario.plan import expand
from orchestrator.scenario.system import HttpOracle, Oracle, SqlOracle, System

SCENARIO = """
scenario: orders
system: {compose: c.yml}
links:
  - {from: driver, to: "orders:80", framer: http1}
  - {from: orders, to: "redis:6379", framer: resp}
driver: {exec: ./drive.py}
oracle: {redis: HGETALL booked, at: "redis:6379"}
faults: [{drop: reply, link: "driver -> orders:80", operations: [2]}]
expect: {others: {client: ok, executions: 1}}
"""


def system() -> System:
    found = expand(SCENARIO, "a.yaml").cells[0].system
    assert found is not None
    return found


def told(**services: dict[str, Any]) -> list[tuple[str, str]]:
    project = {"services": {"orders": {}, "redis": {}, **services}}
    return [(".".join(map(str, one.path)), one.message) for one in problems(system(), project)]


@pytest.mark.parametrize(
    ("services", "path", "message"),
    [
        ({"redis": {"network_mode": "service:orders"}}, "system.compose", "network_mode service:orders"),
        ({"orders": {"network_mode": "none"}}, "system.compose", "put it on a network"),
        ({"redis": {"scale": 2}}, "system.compose", "2 replicas"),
        ({"orders": {"deploy": {"replicas": 3}}}, "system.compose", "3 replicas"),
        ({"orders": {"deploy": {"replicas": 0}}}, "system.compose", "0 replicas"),
        ({"redis": {"depends_on": {"orders": {"condition": "service_started"}}}}, "links", "wait for one another"),
        ({"relay": {}}, "system.compose", "rename it"),
        ({"driver": {}}, "system.compose", "rename it"),
    ],
)
def test_what_cannot_work_is_refused(services: dict[str, Any], path: str, message: str) -> None:
    ((where, said),) = told(**services)
    assert where == path
    assert message in said


def test_a_network_of_the_users_may_not_be_taken_for_one_of_ours() -> None:
    project = {"services": {"orders": {}, "redis": {}}, "networks": {"faultbed-redis": {"name": "live"}, "other": {}}}
    (found,) = problems(system(), project)
    assert "faultbed-redis" in found.message
    assert "rename it" in found.message


def test_services_that_are_not_there_are_refused_wherever_they_are_named() -> None:
    found = [".".join(map(str, one.path)) for one in problems(system(), {"services": {"mail": {}, "orders": {}}})]
    assert found == ["links.1.to", "oracle.at"]
    nowhere = [one.path for one in problems(system(), {"services": {"mail": {}}})]
    assert nowhere == [("links", 0, "to"), ("links", 1, "from"), ("links", 1, "to"), ("oracle", "at")]
    assert all("COMPOSE_PROFILES" in one.message for one in problems(system(), {"services": {"mail": {}}}))


@pytest.mark.parametrize(
    ("oracle", "path"),
    [
        (HttpOracle(http="mail:80/booked"), [("oracle", "http")]),
        (HttpOracle(http="orders:80/booked"), []),
        (SqlOracle(sql="select 1", dsn="sqlite:mail.db"), []),
    ],
)
def test_an_oracle_over_http_asks_a_service(oracle: Oracle, path: list[tuple[str, str]]) -> None:
    asked = system().model_copy(update={"oracle": oracle})
    assert [one.path for one in problems(asked, {"services": {"orders": {}, "redis": {}}})] == path


def test_what_works_is_not() -> None:
    assert told(worker={"scale": 3}, side={"network_mode": "service:orders"}) == []
    assert told(orders={"scale": 1, "deploy": {"replicas": 1}}) == []
