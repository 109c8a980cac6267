"""The order in which the services of a project start, and when each is ready."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.run.readiness import Ended, Need, ready, standing
from orchestrator.run.waves import Circle, waves
from orchestrator.scenario.plan import expand
from orchestrator.scenario.system import System

SCENARIO = """
scenario: orders
system: {compose: c.yml, ready: READY}
links:
  - {from: driver, to: "orders:80", framer: http1}
  - {from: orders, to: "redis:6379", framer: resp}
driver: {exec: ./drive.py}
oracle: {http: "orders:80/x"}
faults: [{drop: reply, link: "driver -> orders:80", operations: [2]}]
expect: {others: {client: ok, executions: 1}}
"""


def system(ready: str = "healthy") -> System:
    found = expand(SCENARIO.replace("READY", ready), "a.yaml").cells[0].system
    assert found is not None
    return found


def after(**conditions: str) -> dict[str, Any]:
    return {"depends_on": {name: {"condition": f"service_{condition}"} for name, condition in conditions.items()}}


def order(services: dict[str, Any]) -> list[list[str]]:
    return [wave.services for wave in waves(system(), services)]


def test_who_is_called_starts_before_who_calls_whatever_the_file_says() -> None:
    assert order({"orders": {}, "redis": {}, "mail": {}}) == [["mail", "redis"], ["orders"]]


def test_a_job_runs_in_its_order_and_once() -> None:
    services = {
        "redis": {},
        "migrate": after(redis="healthy"),
        "orders": after(migrate="completed_successfully"),
        "worker": after(migrate="completed_successfully", orders="started"),
    }
    made = waves(system(), services)
    assert [wave.services for wave in made] == [["redis"], ["migrate"], ["orders"], ["worker"]]
    assert made[1].until == {"migrate": Need("completed")}
    assert made[0].until == {"redis": Need("healthy", stays=True)}


def test_one_that_need_only_be_started_may_become_healthy_later() -> None:
    """Its health may hang on who comes after it."""
    services = {"redis": {}, "leader": {}, "follower": after(leader="started"), "orders": {}}
    first, last = waves(system(), services)
    assert first.until["leader"] == Need("running")
    assert last.until == {
        "redis": Need("healthy", stays=True),
        "leader": Need("healthy"),
        "follower": Need("healthy"),
        "orders": Need("healthy", stays=True),
    }


def test_ready_running_waits_for_health_only_where_the_file_does() -> None:
    services = {"redis": {}, "db": {}, "orders": after(db="healthy")}
    made = waves(system("running"), services)
    assert {name: need.state for name, need in made[0].until.items()} == {"redis": "running", "db": "healthy"}


def test_what_is_left_out_of_the_project_is_not_waited_for() -> None:
    assert order({"redis": {}, "orders": after(debugger="started")}) == [["redis"], ["orders"]]


def test_a_circle_is_told() -> None:
    with pytest.raises(Circle) as caught:
        waves(system(), {"redis": after(orders="started"), "orders": {}, "mail": {}})
    assert caught.value.services == ["orders", "redis"]


def running(health: str | None = None, said: str = "") -> dict[str, Any]:
    health_state = {} if health is None else {"Health": {"Status": health, "Log": [{"Output": said}]}}
    return {"Status": "running", **health_state}


def exited(code: int, **parts: Any) -> dict[str, Any]:
    return {"Status": "exited", "ExitCode": code, **parts}


@pytest.mark.parametrize(
    ("state", "need", "expected"),
    [
        (running(), Need("running"), True),
        (running(), Need("healthy"), True),
        (running("none"), Need("healthy"), True),
        (running("starting"), Need("running"), True),
        (running("starting"), Need("healthy"), False),
        (running("healthy"), Need("healthy"), True),
        (running("healthy"), Need("completed"), False),
        ({"Status": "created"}, Need("running"), False),
        (exited(0), Need("running"), True),
        (exited(0), Need("healthy"), True),
        (exited(0), Need("completed"), True),
        ({"Status": "dead", "ExitCode": 0}, Need("completed"), True),
    ],
)
def test_ready(state: dict[str, Any], need: Need, expected: bool) -> None:
    assert ready(state, need) is expected


@pytest.mark.parametrize(
    ("state", "need", "said"),
    [
        (exited(3), Need("completed"), "exit code 3"),
        (exited(1), Need("running"), "exit code 1"),
        (exited(137, OOMKilled=True), Need("running"), "want of memory"),
        (exited(127, Error="no such file"), Need("running"), "no such file"),
        (exited(0), Need("running", stays=True), "has to go on"),
        (running("unhealthy", "refused"), Need("healthy"), "unhealthy; its health check says: refused"),
    ],
)
def test_what_will_never_be_ready_says_why(state: dict[str, Any], need: Need, said: str) -> None:
    with pytest.raises(Ended, match=said):
        ready(state, need)


def test_how_one_stands_that_is_late() -> None:
    assert standing(running("starting", "connection refused\n")) == (
        "running, health starting; its health check says: connection refused"
    )
    assert standing({"Status": "created"}) == "created"


@pytest.mark.parametrize(
    ("health", "said"),
    [
        (None, "running"),
        ({"Status": "none"}, "running"),
        ({"Status": ""}, "running"),
        ({"Status": "starting"}, "running, health starting"),
        ({"Status": "starting", "Log": []}, "running, health starting"),
        ({"Status": "starting", "Log": [{}]}, "running, health starting"),
        ({"Status": "starting", "Log": [{"Output": "old"}, {"Output": " new\n"}]}, "its health check says: new"),
        ({"Status": "starting", "Log": [{"Output": "x" + "y" * 300}]}, f"its health check says: {'y' * 300}"),
    ],
)
def test_how_one_that_is_not_ready_stands(health: dict[str, Any] | None, said: str) -> None:
    text = standing({"Status": "running", "Health": health})
    assert text == said if "says" not in said else text == f"running, health starting; {said}"
