"""How a run went hangs together: of a simulated one, each record that is altered, missing or there twice is noticed."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import suite
from harms import Alter, altered, being, gone, renumbered, saying, twice, without

from nodes.control import FENCED
from nodes.wire.record import Kind
from orchestrator.checkers.evidence import OF_THE_RUN, problems
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.history.merged import History
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

CRASH = "rpc/09-crash-after-commit"
KILL = "faults/kill-by-time"
DELAY = "faults/delay"
CUT = "rpc/07b-cut-before-reply"
LOST = "rpc/11-history-lost"
PAUSE = "faults/pause"
SHARED = "rpc/07c-cut-several-open"
COPIED = "faults/duplicate-reply"
KEPT = "faults/pause-until-heal"
NTH = "rpc/09b-replies-lost-then-crash"
SENT = "rpc/10-old-copy-after-crash"
JOINED = "rpc/04-duplicate-while-executing"


@cache
def ran(scenario: str) -> tuple[Cell, History]:
    (one,) = suite.run([suite.last(scenario)], "sim")
    return one.result.cell, one.history


def gate(cell: Cell, history: History) -> list[str]:
    return list(problems(Views(cell, Index(history)), OF_THE_RUN))


@pytest.mark.parametrize("scenario", [CRASH, KILL, DELAY, CUT, LOST, PAUSE, SHARED, COPIED, KEPT, NTH, SENT, JOINED])
def test_a_run_hangs_together(scenario: str) -> None:
    assert gate(*ran(scenario)) == []


CASES: list[tuple[str, Kind, str, dict[str, Any], Alter, str]] = [
    # lives
    (DELAY, Kind.PHASE, "", {"phase": "settle"}, gone, "the run's phases were start, load, heal, drain, stop, end"),
    (DELAY, Kind.START, "client", {}, gone, "the journal of client, epoch 1 begins with READY, not with START"),
    (
        DELAY,
        Kind.START,
        "server",
        {},
        saying(role="client"),
        "server, epoch 1 says to be a client, which the plan",
    ),
    (DELAY, Kind.START, "client", {}, saying(epoch=2), "the journal of client, epoch 1 says to be of client, epoch 2"),
    (DELAY, Kind.START, "client", {}, saying(history=1), "client, epoch 1 says to have a history, and is no server"),
    (DELAY, Kind.START, "client", {}, saying(engine="x"), "client, epoch 1 says to run on x, which the plan does not"),
    (
        DELAY,
        Kind.START,
        "client",
        {},
        saying(engine="epoll"),
        "client, epoch 1 says to run on epoll, which the plan does",
    ),
    (
        DELAY,
        Kind.START,
        "relay",
        {},
        saying(engine=None),
        "relay, epoch 1 says to run on None, which the plan does not",
    ),
    (DELAY, Kind.START, "client", {}, saying(schema=9), "client, epoch 1 says to have the schema 9"),
    (DELAY, Kind.START, "relay", {}, saying(evidence="real"), "relay, epoch 1 says its evidence to be real of sim"),
    (DELAY, Kind.READY, "client", {}, being(node="x"), "there is a journal of x, and the plan has no such process"),
    (DELAY, Kind.READY, "client", {}, twice, "the journal of client, epoch 1 has 2 records READY"),
    (DELAY, Kind.READY, "server", {}, gone, "server, epoch 1 did more than to start, and was never ready"),
    (DELAY, Kind.STOP, "server", {}, gone, "the journal of server, epoch 1 ends with ANSWER, and nobody killed it"),
    (DELAY, Kind.STOP, "client", {}, being(time=1), "the clock of client, epoch 1 went back"),
    (DELAY, Kind.REAPED, "", {}, gone, ", epoch 1, was seen to end 0 times"),
    (DELAY, Kind.REAPED, "", {}, twice, ", epoch 1, was seen to end 2 times"),
    (DELAY, Kind.REAPED, "", {}, saying(code=3), ", epoch 1 ended with exit code 3"),
    (DELAY, Kind.REAPED, "", {"node": "server"}, saying(signal=11), "was ended by signal 11, and no fault of the plan"),
    (
        KILL,
        Kind.ACT,
        "",
        {"act": "kill"},
        gone,
        "server, epoch 1 was ended by signal 9, and no fault of the plan",
    ),
    (
        KILL,
        Kind.ACT,
        "",
        {"act": "kill"},
        saying(fault=None),
        "server, epoch 1 was done kill to by no fault of the",
    ),
    (KILL, Kind.ACT, "", {"act": "restart"}, saying(fault=0), "was done restart to by a fault, which none does"),
    (KILL, Kind.ACT, "", {"act": "restart"}, gone, "has journals of the epochs [1, 2], and was not restarted once for"),
    (KILL, Kind.ACT, "", {"act": "restart"}, saying(act="x"), "was done x to, and has no journal"),
    (LOST, Kind.ACT, "", {"act": "archive"}, gone, "server has 1 archived ledgers, and 0 were archived"),
    (LOST, Kind.ACT, "", {"act": "archive"}, saying(epoch=2), "server, epoch 2 was done archive to, and not between"),
    (
        KEPT,
        Kind.PHASE,
        "",
        {"phase": "load-kept"},
        saying(faults=1.5),
        "on record as kept by the faults 1.5, which the",
    ),
    (
        KEPT,
        Kind.PHASE,
        "",
        {"phase": "load-kept"},
        saying(faults=[0, 9]),
        "as kept by the faults [0, 9], which",
    ),
    (KEPT, Kind.PHASE, "", {"phase": "load-kept"}, twice, "the run's phase load-kept is on record 2 times"),
    (DELAY, Kind.TRIM, "", {}, saying(mark=1.5), "server journalled TRIM of client 10101, and its mark is 1.5"),
    (CRASH, Kind.FAILPOINT, "", {}, saying(name="received"), "was at the failpoint received, which the plan has not"),
    (
        CRASH,
        Kind.FAILPOINT,
        "",
        {},
        being(attempt=2),
        "was at the failpoint after-commit, which the plan has",
    ),
    (CRASH, Kind.EXECUTE, "", {"seq": 3}, gone, "was at the failpoint after-commit of what it did not come to"),
    (
        CRASH,
        Kind.FAILPOINT,
        "",
        {},
        saying(name=["after-commit"]),
        "FAILPOINT of operation 3 of client 10101, attempt 1, and",
    ),
    (NTH, Kind.FAILPOINT, "", {}, being(seq=3), "was at the failpoint before-send of what it did not come to"),
    (NTH, Kind.FAILPOINT, "", {}, being(seq=99), "was at the failpoint before-send of what it did not come to"),
    (NTH, Kind.ANSWER, "", {"seq": 1}, gone, "was at the failpoint before-send of what it did not come to"),
    (SENT, Kind.ANSWER, "", {"seq": 3}, gone, "was at the failpoint after-send of what it did not come to"),
    (KILL, Kind.ACT, "", {"act": "kill"}, twice, "server, epoch 1 was killed 2 times"),
    (
        PAUSE,
        Kind.ACT,
        "",
        {"act": "pause"},
        twice,
        "server, epoch 1 was stopped 2 times, 0 more at failpoints, and resumed 1",
    ),
    (
        PAUSE,
        Kind.ACT,
        "",
        {"act": "resume"},
        twice,
        "server, epoch 1 was stopped 1 times, 0 more at failpoints, and resumed 2",
    ),
    (DELAY, Kind.RULE, "", {}, without("active"), "relay journalled RULE, and its active is missing"),
    (DELAY, Kind.UPSTREAM, "", {}, saying(up=1), "relay journalled UPSTREAM, and its up is 1"),
    (
        DELAY,
        Kind.DECISION,
        "",
        {"act": "delay"},
        saying(by=5),
        "relay did delay to its reply by {'by': 5}, not {'by': ",
    ),
    (DELAY, Kind.RELEASE, "", {}, saying(occurrence=2), "went on later, and was not kept"),
    (SHARED, Kind.END, "", {"seq": 4}, gone, "operation 4 of client 10101, attempt 1, was open on line 1, which ended"),
    (COPIED, Kind.REPLY, "", {"seq": 2}, gone, "attempt 1: its reply was passed and never came; operation "),
    # records
    (DELAY, Kind.PHASE, "", {}, being(client=3), "orchestrator journalled PHASE with client 3, which that has not"),
    (DELAY, Kind.EXECUTE, "", {}, being(process=3), "server journalled EXECUTE with process 3, which that has not"),
    (DELAY, Kind.OK, "", {}, being(process=3), "client, process 3, journalled OK of operation 1 of client 10101"),
    (DELAY, Kind.OK, "", {}, being(node="server"), "server, process 1, journalled OK of operation 1 of client 10101"),
    (DELAY, Kind.RULE, "", {}, being(node="server"), "server journalled RULE, which is not its to say"),
    (DELAY, Kind.PHASE, "", {}, being(node="relay"), "relay journalled PHASE, which is not its to say"),
    # hops
    (CUT, Kind.RULE, "", {}, gone, "rule 0 is on record as nothing; it was on at first"),
    (CUT, Kind.RULE, "", {}, saying(active=True), "rule 0 is on record as on; it was on at first"),
    (DELAY, Kind.UPSTREAM, "", {}, gone, "client -> server is on record as leading to the epochs [] of its server"),
    (CRASH, Kind.UPSTREAM, "", {"up": False}, gone, "leading to another epoch at once, though the one before had died"),
    (CRASH, Kind.UPSTREAM, "", {"up": False}, saying(epoch=2), "as leading nowhere twice, or from another epoch"),
    (DELAY, Kind.DECISION, "", {"seq": 1}, saying(occurrence=2), "copy 2 of its request was the 1. to come"),
    (DELAY, Kind.DECISION, "", {"seq": 1}, saying(act="drop"), "relay did drop to its request, which no fault does"),
    (DELAY, Kind.DECISION, "", {"seq": 1}, saying(direction="x"), "relay did pass to its x, which no fault does"),
    (DELAY, Kind.DECISION, "", {"seq": 1}, being(client=3), "attempt 1, which is of no client of the plan's"),
    (DELAY, Kind.DECISION, "", {"act": "delay"}, saying(act="pass"), "relay did pass to its"),
    (DELAY, Kind.RELEASE, "", {}, saying(act="hold"), "went on later, and was not kept"),
    (DELAY, Kind.RELEASE, "", {}, twice, "went on later, and was not kept"),
    # sessions
    (DELAY, Kind.SESSION, "", {}, saying(lease=1), "attempt 1, was answered with what no server of its says of itself"),
    (DELAY, Kind.SESSION, "", {}, twice, "hello of client 10101, attempt 1, was not answered, or once more"),
    (DELAY, Kind.SESSION, "", {}, being(attempt=2), "hello of client 10101, attempt 2, was not answered, or once more"),
    (CUT, Kind.SESSION, "client", {}, being(kind=Kind.GATE), "was answered, and its client did not journal with what"),
    (CUT, Kind.ANSWER, "", {"seq": 0}, saying(connection=2), "was answered over a connection that it had not come by"),
    (DELAY, Kind.SESSION, "", {}, gone, "operation 1 of client 10101 was sent before a hello was answered"),
    (DELAY, Kind.SEND, "", {}, saying(server=5), "operation 1 of client 10101 was sent bound to {5}"),
    (DELAY, Kind.RECEIVE, "", {"seq": 0}, saying(first=5), "hello of client 10101 is on record as a call"),
    (DELAY, Kind.ANSWER, "", {"seq": 0}, twice, "hello of client 10101 was answered more often than it came"),
    (DELAY, Kind.REPLY, "", {"seq": 1}, saying(connection=5), "was sent on line 1; REPLY is of 5"),
    (CUT, Kind.END, "", {}, gone, "lost the lines of attempts [1], and journalled that of []"),
    (CUT, Kind.END, "", {}, twice, "lost the lines of attempts [1], and journalled that of [1, 1]"),
    (DELAY, Kind.GATE, "", {}, gone, "waited at the gates []; the plan has [-1]"),
    (DELAY, Kind.GATE, "", {}, being(seq=1), "operation 1 of client 10101 waited at a gate that the plan has not"),
]


@pytest.mark.parametrize(("scenario", "kind", "node", "which", "alter", "said"), CASES)
def test_each_harm_to_it_is_noticed(
    scenario: str, kind: Kind, node: str, which: dict[str, Any], alter: Alter, said: str
) -> None:
    cell, history = ran(scenario)
    found = gate(cell, altered(history, kind, alter, node, **which))
    assert any(said in problem for problem in found), found


def test_a_reply_that_came_more_often_than_it_was_answered_is_noticed() -> None:
    cell, history = ran(JOINED)
    twice_executed = altered(history, Kind.REPLY, saying(status=0), "", status=2)
    found = list(problems(Views(cell, Index(twice_executed))))
    assert any("its client journalled a reply more often than a server answered it" in problem for problem in found)


def test_a_process_without_a_journal_is_noticed() -> None:
    cell, history = ran(DELAY)
    for name in ("relay", "client", "server"):
        left = tuple(event for event in history.events if event.node != name)
        assert f"there is no journal of {name}" in gate(cell, history._replace(events=left))


def test_one_that_its_successor_fenced_off_ends_where_it_stood() -> None:
    cell, history = ran(DELAY)
    fenced = altered(history, Kind.REAPED, saying(code=FENCED), "", node="server")
    assert gate(cell, altered(fenced, Kind.STOP, gone, "server")) == []


def test_what_waited_at_its_gate_after_it_was_invoked_is_noticed() -> None:
    cell, history = ran(DELAY)
    gates = [event for event in history.events if event.kind is Kind.GATE]
    late = [event for event in history.events if event is not gates[0]]
    place = next(n for n, event in enumerate(late) if event.kind is Kind.OK and event.operation == gates[0].operation)
    events = [*late[:place], gates[0]._replace(time=late[place].time), *late[place:]]
    found = gate(cell, renumbered(history, events))
    assert any("waited at its gate after it was invoked" in problem for problem in found)


def delayed() -> tuple[Cell, History, int]:
    """-> also the number of an operation of which a message was delayed."""
    cell, history = ran(DELAY)
    return cell, history, next(event.seq for event in history.events if event.detail.get("act") == "delay")


@pytest.mark.parametrize(
    ("kind", "alter", "said"),
    [
        (Kind.ATTEMPT, saying(wait=0), "attempt 1, was to wait 0 ms; the plan has "),
        (Kind.ATTEMPT, saying(wait=2**40), "attempt 1, was to wait 1.09951e+06 ms; the plan has "),
        (Kind.ATTEMPT, without("wait"), "client journalled ATTEMPT of operation"),
        (Kind.ANSWER, without("connection"), "server journalled ANSWER of operation"),
        (Kind.SEND, without("first"), "client journalled SEND of operation"),
    ],
)
def test_what_this_version_journals_it_always_does_and_within_its_plan(kind: Kind, alter: Alter, said: str) -> None:
    cell, history, seq = delayed()
    found = problems(Views(cell, Index(altered(history._replace(plan=""), kind, alter, seq=seq))))
    assert any(said in problem for problem in found), found


def test_of_what_several_records_lack_the_first_tells() -> None:
    cell, history, seq = delayed()
    sends = [event for event in history.events if event.kind is Kind.SEND]
    lacking = {event.order for event in sends if event.seq in (seq, seq + 1)}
    events = [without("first")(event)[0] if event.order in lacking else event for event in history.events]
    found = problems(Views(cell, Index(history._replace(plan="", events=tuple(events)))))
    assert sum("its first is missing" in problem for problem in found) == 1


WOKEN = """
scenario: woken
nodes:
  server: {service: register}
  client: {workload: write, calls: 2, after_heal: 1}
links:
  - {from: client, to: server, semantics: exactly-once}
faults:
  - {pause: server, at: before-send, operation: 1, restart: {after: 0ms}}
  - {kill: server, at: after-send, operation: 1, restart: {after: 0ms}}
expect:
  others: {client: ok, executions: 1}
"""


@pytest.mark.parametrize("lasts", ["", "lasts: 1ms, "], ids=["until heal", "while its successor starts"])
def test_a_link_leads_to_a_successor_at_once_where_the_one_before_dies_later(lasts: str) -> None:
    text = WOKEN.replace("{pause: server, ", "{pause: server, " + lasts)
    (one,) = suite.run(expand(text, "woken.yaml").cells, "sim")
    (reaped,) = (event for event in one.history.events if event.kind is Kind.REAPED and event.detail["signal"])
    assert reaped.detail["epoch"] == 1
    assert gate(one.result.cell, one.history) == []


FORGOTTEN = """
scenario: forgotten
load: 4s
nodes:
  server: {service: counter, yields: 3}
  client: {workload: add, calls: 5, outstanding: 2, after_heal: 2, retry: {first: 20ms, maximum: 20ms}}
links:
  - {from: client, to: server, semantics: at-least-once, transport: udp}
faults:
  - {reorder: request, link: client -> server, every: 1, attempt: all}
expect:
  others: {client: ok, executions: ">=1"}
"""


def test_a_client_need_not_be_able_to_read_what_it_asked_hundreds_of_attempts_ago() -> None:
    (one,) = suite.run(expand(FORGOTTEN, "forgotten.yaml").cells, "sim")
    cell, history = one.result.cell, one.history
    unread = [event for event in history.events if event.kind is Kind.REPLY and event.detail["value"] is None]
    assert len(unread) > 10
    assert list(problems(Views(cell, Index(history)))) == []
    few = [event for event in history.events if not (event.kind is Kind.SEND and event.attempt > 9)]
    found = problems(Views(cell, Index(renumbered(history, few))))
    assert any("its client journalled a reply that no server answered" in problem for problem in found)


GREETED = """
scenario: greeted
seed: 59900
nodes:
  server: {service: echo, yields: 3}
  client:
    workload: echo
    calls: 4
    outstanding: 2
    after_heal: 1
    retry: {first: 20, connection: same}
    gates: {4: server down 1}
links:
- {from: client, to: server, semantics: at-most-once-incarnation, codec: xdr, transport: tcp}
faults:
- {pause: server, at: received, operation: 2, restart: {after: 20}}
- {cut: after, of: request, link: client -> server, operations: [1, 2]}
- {corrupt: request, link: client -> server, probability: 0.3, attempt: all}
expect: {valid: holds}
"""


def test_among_what_it_asked_since_are_hellos() -> None:
    (one,) = suite.run(expand(GREETED, "greeted.yaml").cells, "sim")
    assert list(problems(Views(one.result.cell, Index(one.history)))) == []


ANSWERED_WITHOUT_HEADER = """
scenario: answered-without-header
seed: 2
nodes:
  server: {service: echo}
  client: {workload: echo, calls: 2, after_heal: 1}
links:
- {from: client, to: server, semantics: at-most-once-incarnation, transport: tcp, codec: xdr}
faults:
- {duplicate: reply, link: client -> server}
- {corrupt: request, link: client -> server, operations: [1]}
expect: {valid: holds}
"""


def test_the_copy_of_an_answer_without_a_header_was_decided_on() -> None:
    (one,) = suite.run(expand(ANSWERED_WITHOUT_HEADER, "answered-without-header.yaml").cells, "sim")
    assert [event.detail["chunk"] for event in one.history.events if event.kind is Kind.RELEASE] == [1]
    assert gate(one.result.cell, one.history) == []


ANSWERED_TWICE = """
scenario: answered-twice
seed: 1
nodes:
  server: {service: register, yields: 30}
  client: {workload: write-read, calls: 3, after_heal: 1, retry: {first: 20, connection: same}}
links:
- {from: client, to: server, semantics: exactly-once, transport: tcp, codec: msgpack}
faults:
- {duplicate: request, link: client -> server, operations: [2], copy: at-reply}
- {corrupt: reply, link: client -> server, operations: [2]}
expect: {valid: holds}
"""


def test_of_several_answers_to_an_attempt_the_one_that_bits_were_flipped_of_may_be_the_one_that_came() -> None:
    (one,) = suite.run(expand(ANSWERED_TWICE, "answered-twice.yaml").cells, "sim")
    assert gate(one.result.cell, one.history) == []
