"""The load phase: every call that is planned under faults is made under them, or the cell is inconclusive."""

from __future__ import annotations

import pytest
import suite

from nodes.wire.record import Kind
from orchestrator.checkers.verdict import Cap, ExpectationVerdict, Judgement, Met
from orchestrator.history.merged import Event, History
from orchestrator.report.lines import cell_line
from orchestrator.report.result import Exit
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: load
nodes:
  server: {{service: counter{server}}}
  client: {{workload: add, calls: {calls}{client}}}
links:
  - {{from: client, to: server, semantics: {semantics}, transport: {transport}}}
faults: {faults}
expect:
  delivery: {{holds: {semantics}, under: [{model}], untried: [complete, once]}}
{rest}
"""
DROP = "[{drop: request, link: client -> server, operations: [1]}]"
FIRST = 10101
"""The first client process's number."""

both = pytest.mark.parametrize("backend", ["sim", "local"])


def cell(calls: int, **more: str) -> Cell:
    usual = {
        "server": "",
        "client": "",
        "semantics": "exactly-once",
        "transport": "tcp",
        "faults": DROP,
        "rest": "",
        "model": "loss",
    }
    (made,) = expand(SCENARIO.format(calls=calls, **usual | more), "load.yaml").cells
    return made


def ran(backend: str, calls: int, **more: str) -> suite.Ran:
    (one,) = suite.run([cell(calls, **more)], backend, idle=True)
    return one


def judgement(one: suite.Ran) -> Judgement:
    assert one.result.judgement is not None
    return one.result.judgement


def load(one: suite.Ran) -> ExpectationVerdict:
    return next(found for found in judgement(one).expectations if found.name == "load")


def phases(history: History) -> dict[str, Event]:
    return {event.detail["phase"]: event for event in history.events if event.kind is Kind.PHASE}


def invoked_before(one: suite.Ran, phase: str) -> set[int]:
    order = phases(one.history)[phase].order
    return {event.seq for event in one.history.events if event.kind is Kind.INVOKE and event.order < order}


def completed_before(one: suite.Ran, phase: str) -> set[int]:
    order, ends = phases(one.history)[phase].order, (Kind.OK, Kind.INFO, Kind.FAIL)
    return {event.seq for event in one.history.events if event.kind in ends and event.order < order}


@both
def test_a_stated_load_that_is_too_short_is_inconclusive_and_says_how_much_is_missing(backend: str) -> None:
    one = ran(backend, 300, server=", yields: 5ms", rest="load: 300ms\nsettle: 60s")
    assert one.result.exit_code is Exit.INCONCLUSIVE
    invoked = len(invoked_before(one, "heal"))
    assert 0 < invoked < 298
    assert load(one).verdict is Met.INCONCLUSIVE
    assert load(one).reason.startswith(f"{298 - invoked} of 298 calls that were to come before heal were not invoked")
    assert "load ended after its cap of 300 ms, with 1 call open" in load(one).reason
    assert judgement(one).caps[0].phase == "load"
    assert "capped=load" in cell_line(one.result)


def test_until_done_takes_as_long_as_the_calls_do() -> None:
    """Seven seconds of simulated time; a fault that begins after five of them finds calls to bite."""
    late = "[{delay: request, by: 20ms, link: client -> server, every: 5, attempt: all, after: 5s}]"
    one = ran(
        "sim", 102, server=", yields: 70ms", client=", retry: {first: 2s, maximum: 2s}", faults=late, model="delay"
    )
    assert one.result.exit_code is Exit.MET
    assert completed_before(one, "heal") == set(range(1, 101))
    assert phases(one.history)["heal"].time - phases(one.history)["load"].time > 7_000_000_000
    assert judgement(one).caps == ()


@both
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_with_several_open_calls_heal_waits_for_the_earlier_ones(backend: str, transport: str) -> None:
    """The first copy of the last call before heal is lost: all others are completed, and heal's gate is reached."""
    lost = "[{drop: request, link: client -> server, operations: [6]}]"
    one = ran(backend, 8, client=", outstanding: 4, clients: 2", transport=transport, faults=lost)
    assert completed_before(one, "heal") == set(range(1, 7))
    assert one.result.exit_code is Exit.MET


@both
def test_a_stated_load_may_be_reached_with_calls_open(backend: str) -> None:
    one = ran(
        backend, 5, faults="[{partition: both, link: client -> server}]", client=", outstanding: 3", rest="load: 400ms"
    )
    assert completed_before(one, "heal") == set()
    assert load(one).verdict in (Met.MET, Met.INCONCLUSIVE)
    assert judgement(one).caps[0] == Cap("load", tuple((FIRST, seq) for seq in sorted(invoked_before(one, "heal"))))


KEPT = {
    "kill": ("{kill: server, when: client gate 3}", "server down 1", "server-crash"),
    "kill until healed": (
        "{kill: server, when: client gate 3, restart: {when: healed}}",
        "server down 1",
        "server-crash",
    ),
    "pause": ("{pause: server, name: cut, when: client gate 3}", "cut on", "delay"),
    "partition": ("{partition: request, link: client -> server, name: cut, when: client gate 3}", "cut on", "loss"),
    "drop": ("{drop: reply, link: client -> server, operations: [3], attempt: all}", "client ok 2", "loss"),
}
"""A fault that only heal ends, what its client waits for before operation 3, and the failure model."""


@both
def test_what_only_heal_ends_keeps_the_load_open_no_longer_than_it_takes_to_see_it(backend: str) -> None:
    cells = [
        cell(5, faults=f"[{fault}]", client=f", gates: {{3: {gate}}}", model=model).model_copy(
            update={"cell": name, "axes": {"fault": name}}
        )
        for name, (fault, gate, model) in KEPT.items()
    ]
    for one in suite.run(cells, backend):
        assert one.result.exit_code is Exit.MET, cell_line(one.result)
        kept = phases(one.history)["load-kept"]
        assert kept.detail["faults"] == [0]
        assert invoked_before(one, "heal") == {1, 2, 3}
        assert completed_before(one, "load-kept") == {1, 2}
        assert judgement(one).caps == ()


@both
def test_calls_behind_one_that_is_kept_open_were_not_tried(backend: str) -> None:
    faults = "[{drop: reply, link: client -> server, operations: [3], attempt: all}]"
    one = ran(backend, 8, faults=faults)
    assert load(one).reason == (
        "3 of 6 calls that were to come before heal were not invoked by then: fault 1 (drop) lasts until heal, with 1 "
        "call open (operation 3 of client 10101); expected calls behind it to be among after_heal"
    )


def test_a_fault_that_ends_by_itself_is_waited_for() -> None:
    """However long it keeps everything: the cap counts when nothing is to come any more."""
    faults = "[{partition: both, link: client -> server, name: cut, when: client gate 3, lasts: 100s}]"
    one = ran("sim", 8, client=", gates: {3: cut on}", faults=faults)
    assert one.result.exit_code is Exit.MET
    assert completed_before(one, "heal") == set(range(1, 7))


STUCK = "[{kill: server, at: after-commit, operation: 3, restart: {when: client ok 3}}]"
"""It comes back when its client has an answer, which it would have to give."""


def test_until_done_has_a_cap_that_names_what_was_open() -> None:
    one = ran("sim", 5, faults=STUCK)
    assert one.result.exit_code is Exit.INCONCLUSIVE
    assert load(one).reason == (
        "nothing was completed any more, and nobody knows why, with 1 call open (operation 3 of client 10101)"
    )
    assert judgement(one).caps == (Cap("load", ((FIRST, 3),)),)


def test_a_gate_that_never_opens_is_capped_with_nothing_open() -> None:
    one = ran("sim", 5, client=", gates: {3: server ready 2}")
    assert load(one).reason == (
        "1 of 3 calls that were to come before heal were not invoked by then: nothing was completed any more"
    )
    assert judgement(one).caps == (Cap("load", ()),)


TWO = """
scenario: two
nodes:
  server: {service: counter}
  client: {workload: add, calls: 5, gates: {3: cut on}}
  other: {workload: add, calls: 5, gates: {3: client ok 3}}
links:
  - {from: client, to: server, semantics: exactly-once, transport: udp}
  - {from: other, to: server, semantics: exactly-once, transport: udp}
faults: [{partition: both, link: client -> server, name: cut, when: client gate 3}]
expect: {others: {client: ok, executions: 1}}
"""
"""The fault is not on the other client's link, which waits for what it keeps from happening."""


def test_a_fault_explains_only_the_clients_that_meet_it() -> None:
    (one,) = suite.run(expand(TWO, "two.yaml").cells, "sim")
    assert "load-kept" not in phases(one.history)
    assert judgement(one).caps == (Cap("load", ((FIRST, 3),)),)
    assert load(one).reason.startswith("1 of 6 calls that were to come before heal were not invoked by then")


@both
def test_calls_behind_a_gate_that_opens_at_heal_come_after_it(backend: str) -> None:
    one = ran(backend, 8, client=", gates: {4: healed}")
    assert one.result.exit_code is Exit.MET
    assert invoked_before(one, "heal") == {1, 2, 3}
    assert judgement(one).caps == ()


def test_settling_and_draining_tell_their_caps_too() -> None:
    """The server takes longer for the first call after heal than settling may take, and than draining may."""
    one = ran("sim", 4, server=", yields: 500ms", client=", retry: {first: 5s, maximum: 5s}", rest="settle: 100ms")
    assert [cap.phase for cap in judgement(one).caps] == ["settle", "drain"]
    assert judgement(one).caps[0].open == ((FIRST, 3),)


def test_waiting_for_a_predecessor_that_woke_tells_its_cap() -> None:
    """It stands behind its commit, so that no transaction comes at which the fence would end it."""
    paused = "[{pause: server, at: before-send, operation: 3, restart: {after: 50ms}}]"
    one = ran("local", 6, faults=paused, rest="settle: 1s")
    assert judgement(one).caps == (Cap("predecessors", ()),)
    assert "capped=predecessors" in cell_line(one.result)
