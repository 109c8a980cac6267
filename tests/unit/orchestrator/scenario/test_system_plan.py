"""Scenarios about a system that is not ours: what they come to, and what each mistake is told."""

from __future__ import annotations

import pytest

from orchestrator.run.specs import driver_spec, plane_spec
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.coherence.around import around
from orchestrator.scenario.document import BadScenario
from orchestrator.scenario.plan import expand

GOOD = """
scenario: orders
matrix:
  keys: [ignored, honoured]
system:
  compose: docker-compose.yml
  environment: {KEYS: "${keys}"}
links:
  - {from: driver, to: "orders:8080", framer: http1}
  - {from: orders, to: "redis:6379", framer: resp}
driver: {exec: [./drive.py, --fast], clients: 2, calls: 8, gates: {3: lost on}}
oracle: {redis: HGETALL booked, at: "redis:6379"}
faults:
  - {drop: reply, link: driver->orders:8080, operations: [2], name: lost}
  - {delay: reply, by: 50ms, link: "orders -> redis:6379", probability: 0.5}
  - {kill: redis, when: driver ok 3, restart: {after: 200ms}}
expect:
  others: {client: ok, executions: 1}
  delivery: {holds: exactly-once, under: [loss]}
"""


def cell(text: str = GOOD) -> Cell:
    return expand(text, "folder/orders.yaml").cells[0]


def test_a_good_one() -> None:
    made = cell()
    system = made.system
    assert system is not None
    assert system.project.environment == {"KEYS": "ignored"}
    assert system.project.folder == "folder"
    assert [link.name for link in made.paths] == ["driver -> orders:8080", "orders -> redis:6379"]
    assert system.services == ["orders", "redis"]
    assert [(path.source, path.target, path.via, path.transport) for path in around(made).links] == [
        ("driver", "orders", "relay", "tcp"),
        ("driver", "redis", "relay", "tcp"),
    ]


def test_times_may_be_durations_and_what_the_environment_holds_is_text() -> None:
    given = 'compose: docker-compose.yml\n  start: 90s\n  environment: {KEYS: "${keys}", timeout: 5s}'
    old = 'compose: docker-compose.yml\n  environment: {KEYS: "${keys}"}'
    assert old in GOOD
    system = cell(GOOD.replace(old, given)).system
    assert system is not None
    assert system.project.start == 90_000
    assert system.project.environment == {"KEYS": "ignored", "timeout": "5s"}


def test_what_its_processes_are_told() -> None:
    made = cell()
    assert made.system is not None
    links = plane_spec(made, "relay", {})["links"]
    assert [(link["codec"], link["port"], len(link["rules"])) for link in links] == [
        ("http1", 8080, 1),
        ("resp", 6379, 1),
    ]
    told = driver_spec(made, "/folder", "10.0.0.2:8080")
    assert told["exec"]["argv"] == ["./drive.py", "--fast"]
    assert told["report"] == [("ok", 3)]


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ("system:", "nodes: {}\nsystem:", "nodes", "no nodes"),
        ("  environment:", "  folder: /\n  environment:", "system.folder", "the scenario's own folder"),
        ("oracle:", "oracel:", "oracel", "unknown key"),
        ('oracle: {redis: HGETALL booked, at: "redis:6379"}\n', "", "", "'oracle' is missing"),
        ('{redis: HGETALL booked, at: "redis:6379"}', "{http: no/port}", "oracle.http", "match"),
        ('{redis: HGETALL booked, at: "redis:6379"}', "{redis: x, http: y}", "oracle", "redis and http in one oracle"),
        ('{redis: HGETALL booked, at: "redis:6379"}', "[redis]", "oracle", "expected a mapping with one of the keys"),
        ('{redis: HGETALL booked, at: "redis:6379"}', "{reddis: x}", "oracle.reddis", "redis"),
        ("HGETALL booked", "FLUSHALL now", "oracle.redis", "match"),
        ('from: orders, to: "redis:6379"', "from: orders, to: redis", "links[1].to", "match"),
        ("from: orders, to", "from: redis, to", "links", "circle"),
        ('from: driver, to: "orders:8080"', 'from: web, to: "orders:8080"', "links", "exactly one link from driver"),
        ('"redis:6379", framer: resp', '"redis:8080", framer: resp', "links[1].to", "port 8080"),
        ("framer: resp}", "framer: resp, via: toxiproxy}", "links", "one proxy"),
        ("framer: resp}", "framer: amqp}", "links[1].framer", "expected 'http1' or 'resp'"),
        ("framer: resp}", "framer: xdr}", "links[1].framer", "expected 'http1' or 'resp'"),
        ("operations: [2]", "operations: [7]", "faults[0].operations", "after heal"),
        ("operations: [2]", "attempt: 2", "faults[0].attempt", "not told apart"),
        ("drop: reply", "duplicate: reply", "faults[0].duplicate", "not possible in http1"),
        ("probability: 0.5", "operations: [2]", "faults[1].operations", "name no operation"),
        ("kill: redis, when: driver ok 3", "kill: redis, at: received, nth: 1", "faults[2].at", "no failpoints"),
        ("kill: redis", "kill: mail", "faults[2].kill", "no server 'mail'"),
        ("driver ok 3", "driver attempt 3", "faults[2].when", "its own affair"),
        ("{after: 200ms}", "{state: archive}", "faults[2].restart.state", "keep"),
        ("lost on", "found on", "driver.gates.3", "no fault has the name"),
        ("gates: {3:", "gates: {0:", "driver.gates.0", "a gate before operation 0 of 8 calls"),
        ("gates: {3:", "gates: {9:", "driver.gates.9", "a gate before operation 9 of 8 calls"),
        ("orders:8080", "orders:65536", "links[0].to", "no port 65536"),
        ("from: orders, to", "from: relay, to", "links[1].from", "one of the testbed's own processes"),
        ('from: orders, to: "redis:6379"', 'from: orders, to: "driver:6379"', "links[1].to", "own processes"),
        ("clients: 2", "clients: 2, after_heal: 9", "driver.after_heal", "9 calls after heal of 8"),
        ("executions: 1}", "executions: 1, status: cached}", "expect.others.status", "only our own servers"),
        ("  others:", "  seen: [reply-unseen]\n  others:", "expect.seen", "our own servers"),
    ],
)
def test_mistakes(old: str, new: str, path: str, message: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    with pytest.raises(BadScenario) as caught:
        expand(text, "orders.yaml")
    assert any(mistake.path == path and message in mistake.message for mistake in caught.value.mistakes)


def test_the_parts_of_a_system_need_one() -> None:
    with pytest.raises(BadScenario, match="belongs to a system"):
        expand("scenario: a\nnodes: {}\nlinks: []\ndriver: {exec: x}\nexpect: {}\n", "a.yaml")


@pytest.mark.parametrize("verb", ["bandwidth: 1", "slicer: 10, gap: 5", "slow_close: 100ms"])
def test_toxics_that_leave_no_trace_in_a_drivers_journal(verb: str) -> None:
    text = GOOD.replace("framer: http1", "framer: http1, via: toxiproxy").replace(
        "framer: resp", "framer: resp, via: toxiproxy"
    )
    begin, end = text.index("faults:"), text.index("expect:")
    fault = f'faults:\n  - {{{verb}, link: "driver -> orders:8080", name: lost}}\n'
    with pytest.raises(BadScenario, match="their own slowness"):
        expand(text[:begin] + fault + text[end:], "a.yaml")


def test_a_gate_may_stand_before_the_first_and_the_last_call() -> None:
    for number in (1, 8):
        assert cell(GOOD.replace("gates: {3:", f"gates: {{{number}:")).system is not None
