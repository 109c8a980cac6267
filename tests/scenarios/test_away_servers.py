"""Kills and pauses that come to a server that is away already, or at a failpoint only after heal: every run ends, and
what came in vain is said to have.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
import suite
from suite import Ran

from nodes.wire.record import Kind
from orchestrator.report.result import Exit
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: away
nodes:
  server: {service: counter}
  client: {workload: add, calls: 8, after_heal: AFTER_HEAL, gates: {GATES}}
links:
  - {from: client, to: server, semantics: exactly-once, transport: TRANSPORT}
faults:
FAULTS
expect:
  others: {client: ok, executions: 1}
  delivery: {holds: exactly-once, under: [server-crash], untried: [complete, once]}
"""
REAL = ("local",)
BOTH = ("sim", "local")


class Case(NamedTuple):
    """`vain`: fault -> why it did not bite; the others bite. Calls behind one that is open until heal come after it."""

    faults: tuple[str, ...]
    vain: dict[int, str]
    gates: str = ""
    after_heal: int = 3
    backends: tuple[str, ...] = BOTH


CASES = {
    "kill while dead": Case(
        ("{kill: server, when: client gate 3}", "{kill: server, when: server down 1}"),
        {1: "when it came to server, it was dead already"},
        "3: server down 1",
    ),
    "kill while dead, by time": Case(
        ("{kill: server, when: client gate 3}", "{kill: server, when: server down 1, after: 20ms}"),
        {1: "when it came to server, it was dead already"},
        "3: server down 1",
    ),
    "kill while it restarts": Case(
        (
            "{kill: server, when: client gate 3, restart: {after: 0ms}}",
            "{kill: server, when: server down 1, after: 5ms, restart: {after: 0ms}}",
        ),
        {1: "when it came to server, it was (being restarted|dead already)"},
        "3: server down 1",
    ),
    "two kills at once": Case(
        (
            "{kill: server, when: client gate 3, restart: {after: 0ms}}",
            "{kill: server, when: client gate 3, restart: {after: 0ms}}",
        ),
        {1: "when it came to server, it was being killed"},
        "3: server down 1",
    ),
    "kill once it is back": Case(
        (
            "{kill: server, when: client gate 3, restart: {after: 0ms}}",
            "{kill: server, when: server ready 2, restart: {after: 0ms}}",
        ),
        {},
        "3: server down 1, 4: server down 2",
    ),
    "pause while dead": Case(
        ("{kill: server, when: client gate 3}", "{pause: server, when: server down 1, lasts: 50ms}"),
        {1: "when it came to server, it was dead already"},
        "3: server down 1",
    ),
    "pause while it restarts": Case(
        (
            "{kill: server, when: client gate 3, restart: {after: 0ms}}",
            "{pause: server, when: server down 1, after: 5ms, lasts: 50ms}",
        ),
        {1: "when it came to server, it was (being restarted|dead already)"},
        "3: server down 1",
    ),
    "pause while it is killed": Case(
        ("{kill: server, when: client gate 3}", "{pause: server, when: client gate 3, lasts: 50ms}"),
        {1: "when it came to server, it was being killed"},
        "3: server down 1",
    ),
    "two pauses": Case(
        (
            "{pause: server, when: client gate 3, name: first, lasts: 100ms}",
            "{pause: server, when: first on, lasts: 20ms}",
        ),
        {1: "when it came to server, it was stopped already"},
        "3: first on",
    ),
    "two pauses until heal": Case(
        ("{pause: server, when: client gate 3, name: first}", "{pause: server, when: first on}"),
        {1: "when it came to server, it was stopped already"},
        "3: first on",
    ),
    "kill while it is stopped": Case(
        (
            "{pause: server, when: client gate 3, name: first, lasts: 300ms}",
            "{kill: server, when: first on, after: 40ms, restart: {after: 0ms}}",
        ),
        {},
        "3: first on",
    ),
    "kill while it is stopped until heal": Case(
        (
            "{pause: server, when: client gate 3, name: first}",
            "{kill: server, when: first on, after: 40ms}",
        ),
        {},
        "3: first on",
        after_heal=5,
    ),
    "the first pause's end leaves the next epoch's alone": Case(
        (
            "{pause: server, when: client gate 3, name: first, lasts: 500ms}",
            "{kill: server, when: first on, after: 40ms, restart: {after: 0ms}}",
            "{pause: server, when: server ready 2, name: second}",
        ),
        {},
        "3: first on, 4: second on",
        after_heal=5,
        backends=("sim",),
    ),
    "kill at an nth passage after heal": Case(
        ("{kill: server, at: after-commit, nth: 7}",),
        {0: "epoch 1 of server did not pass after-commit 7 times before heal"},
    ),
    "pause at an nth passage after heal": Case(
        ("{pause: server, at: after-commit, nth: 7}",),
        {0: "epoch 1 of server did not pass after-commit 7 times before heal"},
        backends=REAL,
    ),
    "kill of an attempt that is never made": Case(
        ("{kill: server, at: received, operation: 4, attempt: 3}",),
        {0: "attempt 3 of operation 4 did not pass received in epoch 1 of server before heal"},
    ),
    "kill at a failpoint of the epoch that heal brings": Case(
        ("{kill: server, at: received, operation: 3}", "{kill: server, at: received, nth: 1, epoch: 2}"),
        {1: "epoch 2 of server did not pass received 1 times before heal"},
    ),
    "pause and kill at failpoints": Case(
        (
            "{pause: server, at: received, operation: 2, name: first, lasts: 80ms}",
            "{pause: server, at: received, operation: 3, name: second, lasts: 80ms}",
            "{kill: server, at: received, operation: 5, restart: {after: 0ms}}",
        ),
        {},
        backends=REAL,
    ),
}


def cell(name: str, case: Case, transport: str) -> Cell:
    faults = "\n".join(f"  - {fault}" for fault in case.faults)
    text = SCENARIO.replace("AFTER_HEAL", str(case.after_heal)).replace("GATES", case.gates).replace("FAULTS", faults)
    (made,) = expand(text.replace("TRANSPORT", transport), "away.yaml").cells
    return made.model_copy(update={"cell": f"case={name}", "axes": {"case": name}})


@pytest.fixture(scope="module")
def sim() -> dict[str, Ran]:
    return every("sim")


@pytest.fixture(scope="module")
def local() -> dict[str, Ran]:
    return every("local")


def every(backend: str) -> dict[str, Ran]:
    """All of them, over one transport or the other."""
    made = [
        cell(name, case, ("udp", "tcp")[place % 2])
        for place, (name, case) in enumerate(CASES.items())
        if backend in case.backends
    ]
    return {one.result.cell.axes["case"]: one for one in suite.run(made, backend, idle=True)}


def reasons(ran: Ran) -> dict[int, str]:
    """Fault -> why it did not bite, as the expectation on faults tells it."""
    assert ran.result.judgement is not None
    said = next(found for found in ran.result.judgement.expectations if found.name == "faults").reason
    parts = (part.partition(" did not bite: ") for part in said.split("; fault ") if part)
    return {int(head.removeprefix("fault ").split()[0]) - 1: why for head, _, why in parts}


@pytest.mark.parametrize(
    ("name", "backend"), [(name, backend) for name, case in CASES.items() for backend in case.backends]
)
def test_what_comes_in_vain_is_said(name: str, backend: str, request: pytest.FixtureRequest) -> None:
    ran: Ran = request.getfixturevalue(backend)[name]
    found = reasons(ran)
    assert found.keys() == CASES[name].vain.keys(), found
    for fault, why in CASES[name].vain.items():
        assert re.search(why, found[fault])
    assert ran.result.exit_code is (Exit.INCONCLUSIVE if found else Exit.MET)


def test_a_restart_is_told_from_a_death(sim: dict[str, Ran]) -> None:
    """Where time is not the machine's."""
    for name in ("kill while it restarts", "pause while it restarts"):
        assert reasons(sim[name]) == {1: "when it came to server, it was being restarted"}


def test_a_pause_s_end_is_for_the_process_that_it_stopped(sim: dict[str, Ran]) -> None:
    events = sim["the first pause's end leaves the next epoch's alone"].history.events
    heal = next(event.order for event in events if event.detail.get("phase") == "heal")
    (resumed,) = (event for event in events if event.detail.get("act") == "resume")
    assert (resumed.detail["epoch"], resumed.order > heal) == (2, True)


# A failpoint that is passed while heal takes it away


def passing(fault: str, backend: str) -> list[Ran]:
    """Stopped until heal, with a call before it: at heal the server goes on, and hears of that and of the call."""
    case = Case(("{pause: server, when: client gate 3, name: stop}", fault), {}, "3: stop on", after_heal=5)
    return suite.run([cell(transport, case, transport) for transport in ("udp", "tcp")], backend, idle=True)


@pytest.mark.parametrize("backend", BOTH)
@pytest.mark.parametrize("act", ["kill", "pause"])
def test_a_failpoint_may_be_passed_while_heal_takes_it_away(act: str, backend: str) -> None:
    for ran in passing(f"{{{act}: server, at: received, operation: 3}}", backend):
        assert ran.result.exit_code in (Exit.MET, Exit.INCONCLUSIVE), reasons(ran)
        ends = [event.detail["phase"] for event in ran.history.events if event.kind is Kind.PHASE]
        assert ends[-1] == "end"
        assert not any(phase.endswith("-capped") for phase in ends)


BUSY = """
scenario: busy
load: 20ms
nodes:
  server: {service: counter}
  client: {workload: add, calls: 120, after_heal: 3}
links:
  - {from: client, to: server, semantics: exactly-once, transport: udp}
faults:
  - {kill: server, at: received, nth: NTH}
expect:
  others: {client: ok, executions: 1}
"""
"""The load's cap comes while it calls, and the failpoint is passed thereabouts."""


def test_heal_and_a_failpoint_race_in_every_way() -> None:
    """Passed before heal, after heal and before the node has heard of it, and after that."""
    seen = set()
    for nth in range(90, 106):
        (ran,) = suite.run(expand(BUSY.replace("NTH", str(nth)), "busy.yaml").cells, "sim")
        assert ran.result.exit_code in (Exit.MET, Exit.INCONCLUSIVE), reasons(ran)
        heal = next(event for event in ran.history.events if event.detail.get("phase") == "heal")
        fired = [event for event in ran.history.events if event.kind is Kind.FAILPOINT]
        seen.add("never" if not fired else "before" if fired[0].order < heal.order else "meanwhile")
    assert seen == {"before", "meanwhile", "never"}
