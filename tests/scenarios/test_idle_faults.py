"""A fault that bit nothing says why, from the history of a run: each reason once. What comes to a process that is away
is in test_away_servers.py; the planes that the simulator has not, in test_idle_windows.py.
"""

from __future__ import annotations

import re

import pytest
import suite

from orchestrator.report.result import Exit
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: idle
load: 100ms
nodes:
  server: {service: counter}
  client: {workload: add, calls: 8, after_heal: 2, gates: {5: server ready 9}}
links:
  - {from: client, to: server, semantics: exactly-once, transport: tcp}
faults:
  - {FAULT}
expect:
  others: {client: ok, executions: 1}
"""
LINK = "link: client -> server"

WHY = {
    f"drop: request, {LINK}, when: server ready 2": "its trigger 'server ready 2' did not come before heal",
    f"drop: request, {LINK}, when: client ok 3, after: 60s": (
        "its trigger 'client ok 3' did not come before heal, or came less than 60000 ms before"
    ),
    f"drop: request, {LINK}, after: 60s": "heal came before its time, 60000 ms after the load began",
    "kill: server, when: server ready 2": "its trigger 'server ready 2' did not come before heal",
    "pause: server, after: 60s": "heal came before its time, 60000 ms after the load began",
    f"partition: request, {LINK}, when: client ok 4": (
        "nothing was sent on client -> server (request) while it was on"
    ),
    f"partition: both, {LINK}, when: client ok 4": (
        "nothing was sent on client -> server (request and reply) while it was on"
    ),
    f"drop: reply, {LINK}, operations: [3], attempt: 2": (
        r"it names none of the 5 messages that were sent on client -> server \(reply\) while it was on$"
    ),
    f"drop: request, {LINK}, operations: [5]": (
        r"it names none of the 5 messages .* while it was on; operation 5 was not invoked before heal$"
    ),
    f"partition: request, {LINK}, lasts: 5ms": "it was applied to 1 messages, none of an operation",
    f"reorder: request, {LINK}, operations: [4]": "it was applied to 1 messages, and no later one came before them",
    "kill: server, at: received, operation: 5": "operation 5 was not invoked before heal",
    "kill: server, at: received, operation: 3, epoch: 2": "server had no epoch 2",
    "kill: server, at: received, nth: 6": "epoch 1 of server did not pass received 6 times before heal",
    "kill: server, at: received, operation: 3, attempt: 2": (
        "attempt 2 of operation 3 did not pass received in epoch 1 of server before heal"
    ),
    "kill: server, when: client ok 4, restart: {after: 0ms}": "no operation was open while server was dead",
    "pause: server, when: client ok 4, lasts: 20ms": "no operation was open while server was stopped",
}

LATE_REPLY = "}\n  - {".join(
    (
        f"delay: reply, {LINK}, operations: [3], by: 40ms",
        "pause: server, when: client attempt 3, after: 10ms, lasts: 20ms",
    )
)
"""The server has answered when it is stopped: the relay keeps the reply."""


def cell(place: int, fault: str) -> Cell:
    text = SCENARIO.replace("FAULT", fault)
    (made,) = expand(text, "idle.yaml").cells
    return made.model_copy(update={"cell": f"case={place}", "axes": {"case": str(place)}})


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """Fault -> what the expectation on faults says."""
    faults = [*WHY, LATE_REPLY]
    found = {}
    for fault, ran in zip(faults, suite.run([cell(*each) for each in enumerate(faults)], "sim"), strict=True):
        assert ran.result.judgement is not None
        assert ran.result.exit_code is Exit.INCONCLUSIVE, fault
        found[fault] = next(one.reason for one in ran.result.judgement.expectations if one.name == "faults")
    return found


@pytest.mark.parametrize("fault", WHY)
def test_it_says_why(fault: str, told: dict[str, str]) -> None:
    verb = fault.partition(":")[0]
    said = told[fault]
    head = f"fault 1 ({verb}) did not bite: "
    assert said.startswith(head)
    why = said.removeprefix(head)
    assert why == WHY[fault] or re.match(WHY[fault], why), why


def test_only_the_idle_one_is_told(told: dict[str, str]) -> None:
    assert told[LATE_REPLY] == (
        "fault 2 (pause) did not bite: none of the 1 operations that were open waited for server to go on"
    )
