"""What cannot be judged of what a cell expects, and where in the file that is."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import cell

from chaos.faults.messages import Drop
from chaos.problem import Path
from orchestrator.scenario.cell import Cell, Expect
from orchestrator.scenario.coherence import expectations, system
from orchestrator.scenario.plan import expand

DROP = Drop(drop="reply", link="client -> server", operations=(1,))
OK = {"client": "ok", "executions": "1"}
LOSS = {"under": ["loss"]}


def where(made: Cell) -> dict[Path, str]:
    found = list(expectations.problems(made))
    assert {problem.path[0] for problem in found} <= {"expect"}
    return {problem.path[1:]: problem.message for problem in found}


def expecting(faults: bool = True, service: str = "counter", variant: str | None = None, **expect: Any) -> Cell:
    made = Expect.model_validate(expect)
    return cell(faults=(DROP,) if faults else (), expect=made, service=service, variant=variant)


@pytest.mark.parametrize(
    ("made", "path", "said"),
    [
        (
            expecting(),
            (),
            "expects nothing; expected at least one of bitten, others, seen, strained, delivery, agree",
        ),
        (expecting(False, bitten=OK), ("bitten",), "no fault can bite"),
        (expecting(False, seen=["reply-unseen"]), ("seen",), "nothing is bitten"),
        (expecting(False, staleness="violated"), ("staleness",), "expected a fault"),
        (expecting(others=OK, convicted_by=["replies"]), ("convicted_by",), "expected a link with a variant"),
        (expecting(delivery=LOSS), ("delivery",), "exactly one of holds and violated"),
        (
            expecting(delivery={"holds": "maybe", "violated": "maybe", **LOSS}),
            ("delivery",),
            "exactly one of holds and violated",
        ),
        (expecting(delivery={"holds": "maybe", "under": []}), ("delivery", "under"), "at least one"),
        (
            expecting(delivery={"holds": "maybe", "under": ["loss", "delay", "loss"]}),
            ("delivery", "under"),
            "loss is there 2 times; expected each once",
        ),
        (
            expecting(delivery={"holds": "exactly-once", "untried": ["once", "once"], **LOSS}),
            ("delivery", "untried"),
            "once is there 2 times",
        ),
        (expecting(seen=["reply-unseen"] * 3), ("seen",), "reply-unseen is there 3 times"),
        (expecting(strained=["buffers-full"] * 2), ("strained",), "buffers-full is there 2 times; expected each once"),
        (
            expecting(others=OK, variant="no-join", convicted_by=["replies", "replies"]),
            ("convicted_by",),
            "replies is there 2 times",
        ),
        (
            expecting(delivery={"holds": "maybe", "witness": OK, **LOSS}),
            ("delivery", "witness"),
            "only a violation has a witness",
        ),
        (
            expecting(False, delivery={"violated": "maybe", **LOSS}),
            ("delivery", "violated"),
            "expected a fault",
        ),
        (expecting(service="echo", delivery={"holds": "maybe", **LOSS}), ("delivery",), "service echo has no effect"),
    ],
)
def test_what_cannot_be_judged(made: Cell, path: Path, said: str) -> None:
    [(found, message)] = where(made).items()
    assert found == path
    assert said in message


@pytest.mark.parametrize(
    "made",
    [
        expecting(False, others=OK),
        expecting(False, staleness="holds"),
        expecting(bitten=OK),
        expecting(seen=["reply-unseen"]),
        expecting(False, strained=["backlog-full", "numbers-reused"]),
        expecting(staleness="violated", service="register"),
        expecting(convicted_by=["replies"], others=OK, variant="no-duplicate-filter"),
        expecting(delivery={"violated": "maybe", "witness": OK, **LOSS}),
        expecting(False, delivery={"holds": "maybe", **LOSS}),
    ],
)
def test_what_can(made: Cell) -> None:
    assert where(made) == {}


@pytest.mark.parametrize("transport", ["udp", "unix"])
def test_only_tcp_drops_whom_a_backlog_has_no_room_for(transport: str) -> None:
    made = expecting(False, strained=["backlog-full"])
    (link,) = made.links
    found = where(made.model_copy(update={"links": (link.model_copy(update={"transport": transport}),)}))
    assert found == {
        ("strained",): "the kernel drops nobody at other listeners than those of TCP; expected a link over tcp"
    }


SYSTEM = """
scenario: orders
system: {compose: docker-compose.yml}
links:
  - {from: driver, to: "orders:8080", framer: http1}
  - {from: orders, to: "redis:6379", framer: resp}
driver: {exec: ./drive.py, calls: 8, after_heal: 8}
oracle: {redis: HGETALL booked, at: "redis:6379"}
expect: {others: {client: ok, executions: 1}}
"""


def altered(part: str = "", **changes: Any) -> Cell:
    """The system's cell with its links (`part` "links"), its driver, or what it expects changed."""
    made = expand(SYSTEM, "orders.yaml").cells[0]
    assert made.system is not None
    if part == "links":
        first, second = made.system.links
        links = (first, second.model_copy(update=changes))
        return made.model_copy(update={"system": made.system.model_copy(update={"links": links})})
    if part == "driver":
        return made.model_copy(update={"nodes": {**made.nodes, "driver": made.driver.model_copy(update=changes)}})
    return made.model_copy(update={"expect": Expect.model_validate({"others": OK, **changes})})


@pytest.mark.parametrize(
    ("made", "path", "said"),
    [
        (altered("links", source="relay"), ("links", 1, "from"), "one of the testbed's own processes"),
        (altered("links", target="driver:6379"), ("links", 1, "to"), "'driver' is the name of one"),
        (altered("links", target="redis:65536"), ("links", 1, "to"), "there is no port 65536"),
        (altered("links", target="orders:8080", source="web"), ("links", 1, "to"), "a second link to orders:8080"),
        (altered("links", target="redis:8080"), ("links", 1, "to"), "port 8080 of both orders and redis"),
        (altered("links", via="toxiproxy"), ("links",), "links via relay, toxiproxy; expected one proxy"),
        (altered("links", source="driver"), ("links",), "expected exactly one link from driver"),
        (altered("links", target="orders:6379"), ("links",), "orders call one another in a circle"),
        (altered("driver", exec=""), ("driver", "exec"), "expected a program"),
        (altered("driver", exec=()), ("driver", "exec"), "expected a program"),
        (altered("driver", calls=7), ("driver", "after_heal"), "8 calls after heal of 7 calls in all"),
        (altered(seen=["reply-unseen"]), ("expect", "seen"), "in our own servers' journals"),
        (altered(convicted_by=["replies"]), ("expect", "convicted_by"), "only our own mechanisms"),
        (altered(strained=["numbers-reused"]), ("expect", "strained"), "only our own servers say what they went"),
        (altered(others={**OK, "status": "cached"}), ("expect", "others", "status"), "only our own servers say"),
    ],
)
def test_what_does_not_fit_in_a_system(made: Cell, path: Path, said: str) -> None:
    assert [problem for problem in system.problems(made) if problem.path == path and said in problem.message]


def test_what_fits_in_a_system() -> None:
    assert list(system.problems(altered())) == []
    assert list(system.problems(altered("links", target="redis:65535"))) == []


def test_a_server_with_a_variant_can_be_convicted() -> None:
    plain = expecting(others=OK, convicted_by=["delivered"], service="echo")
    wrong = plain.servers["server"].model_copy(update={"variant": "undrained"})
    assert ("convicted_by",) in where(plain)
    assert not where(plain.model_copy(update={"nodes": {**plain.nodes, "server": wrong}}))
