"""A wait that passed makes a call late; what neither it, a fault nor an outage explains is unexplained, and unmet."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import CLIENT, MILLISECOND, STEP, Run, cell
from stories import DROP_REPLY, reply_lost

from chaos.faults.fault import Fault
from chaos.faults.packets import Split
from chaos.faults.paths import Partition
from nodes.wire.header import Status
from nodes.wire.record import Kind
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.transits import NOISE
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.expect import judge
from orchestrator.checkers.setting import Setting
from orchestrator.checkers.verdict import Judgement, Met
from orchestrator.history.index import Index
from orchestrator.scenario.cell import Expect, Outcome

FIRST = (CLIENT, 1)
OK_ONCE = Outcome(client="ok", executions="1")


def bites(run: Run, **options: Any) -> Bite:
    return bite(Setting(cell(**options), Index(run.history())))


def unexplained(run: Run, **options: Any) -> str:
    return bites(run, **options).unexplained.get(FIRST, "")


def sent(run: Run, attempt: int = 1, connection: int = 1) -> Run:
    """An attempt that waits for 60 ms."""
    return run.send(1, attempt, connection=connection, wait=60_000_000)


def late(run: Run, milliseconds: int = 60) -> Run:
    """The reply takes longer than the client waits, so it sends again."""
    sent(run.invoke(1)).run(1).wait(milliseconds)
    sent(run, 2).reply(1, 1, 1).ok(1, 1).receive(1, 2).answer(1, 2, 1, Status.CACHED)
    return run.healed(2)


def explained(judgement: Judgement) -> tuple[Met, str]:
    return next((found.verdict, found.reason) for found in judgement.expectations if found.name == "explained")


def test_a_wait_that_passed_makes_a_second_attempt_late() -> None:
    found = bites(late(Run()))
    assert (found.late, found.caught, dict(found.unexplained)) == ({FIRST}, {FIRST}, {})


def test_a_second_attempt_before_that_is_unexplained_and_among_the_others() -> None:
    found = bites(late(Run(), 20))
    assert (found.late, FIRST in found.others) == (frozenset(), True)
    assert found.unexplained[FIRST] == "attempt 2 was begun 20 ms after attempt 1, which was to wait 60 ms"


def test_nor_is_one_explained_whose_reply_had_come() -> None:
    run = sent(sent(Run().invoke(1)).run(1).reply(1, 1, 1).wait(60), 2).ok(1, 1).healed(2)
    assert unexplained(run) == "attempt 2 was begun although a reply had come in time"


@pytest.mark.parametrize(("milliseconds", "said"), [(60, ""), (10, "it ended info (no reply) 10 ms after attempt 1")])
def test_info_is_late_once_the_last_wait_has_passed(milliseconds: int, said: str) -> None:
    run = sent(Run().invoke(1)).receive(1).wait(milliseconds).info(1).healed(2)
    found = bites(run, semantics="maybe")
    assert found.unexplained.get(FIRST, "").startswith(said)
    assert (FIRST in found.late) is not bool(said)


def test_what_a_fault_met_is_explained() -> None:
    assert unexplained(reply_lost(Run()), faults=(DROP_REPLY,)) == ""


def test_whatever_met_it_a_call_is_not_sent_again_before_its_wait_has_passed() -> None:
    hasty = sent(sent(Run().invoke(1)).decide("request", 1, act="drop", rule=0), 2).run(1, 2).reply(1, 2, 1).ok(1, 1)
    assert unexplained(hasty.healed(2)) == "attempt 2 was begun 0 ms after attempt 1, which was to wait 60 ms"


@pytest.mark.parametrize("met", [False, True])
@pytest.mark.parametrize(
    ("error", "said"), [("no reply", "it ended info (no reply) 20 ms"), ("the connection ended", "")]
)
def test_nor_given_up_for_want_of_a_reply(error: str, said: str, met: bool) -> None:
    run = sent(Run().invoke(1))
    if met:
        run.decide("request", 1, act="drop", rule=0)
    run.wait(20).end(1, error="timeout").info(1, error).healed(2)
    assert unexplained(run, semantics="maybe").startswith(said)
    assert bool(unexplained(run, semantics="maybe")) is (bool(said) or not met)


@pytest.mark.parametrize(
    ("evidence", "said"), [("real", ""), ("sim", "attempt 2 was begun 100 ms after attempt 1, which")]
)
def test_in_the_simulator_it_is_sent_again_at_once_when_it_has(evidence: str, said: str) -> None:
    run = sent(Run().invoke(1)).decide("request", 1, act="drop", rule=0).wait(100)
    history = sent(run, 2).run(1, 2).reply(1, 2, 1).ok(1, 1).healed(2).history()._replace(evidence=evidence)
    found = bite(Setting(cell(faults=(DROP_REPLY,)), Index(history))).unexplained.get(FIRST, "")
    assert found.startswith(said)
    assert bool(found) is bool(said)


def test_a_connection_that_nobody_cut_is_unexplained() -> None:
    run = sent(sent(Run().invoke(1)).end(1).wait(60), 2, 2).run(1, 2).reply(1, 2, 1).ok(1, 1).healed(2)
    assert unexplained(run) == "the connection of attempt 1 failed (end of file)"


def test_one_that_a_fault_on_another_call_of_the_client_cut_is_caught() -> None:
    run = Run().invoke(3).send(3).decide("request", 3, act="cut", rule=0).info(3)
    sent(sent(run.invoke(1)).end(1).wait(60), 2, 2).run(1, 2).reply(1, 2, 1).ok(1, 1)
    found = bites(run.healed(2))
    assert (FIRST in found.caught, FIRST in found.late, FIRST in found.unexplained) == (True, False, False)


def refused(run: Run, server: int, crash: bool = True) -> Run:
    """Bound to a number, and sent when the server is there again; epoch 1 is 1001."""
    run.call(9)
    if crash:
        run.act("kill").reap().upstream(False).serve().upstream(True)
    run.invoke(1)
    run.note("client", 1, Kind.ATTEMPT, CLIENT, 1, 1, wait=60_000_000)
    run.note("client", 1, Kind.SEND, CLIENT, 1, 1, connection=1, server=server)
    run.receive(1, server=server).answer(1, 1, None, Status.REFUSED).reply(1, 1, None, Status.REFUSED)
    return run.info(1, "refused").healed(2)


def test_the_end_of_an_epoch_explains_the_refusal_of_what_was_bound_to_it() -> None:
    found = bites(refused(Run(), 1001), semantics="at-most-once-incarnation", transport="udp")
    assert (FIRST in found.caught, FIRST in found.late, FIRST in found.unexplained) == (True, False, False)


@pytest.mark.parametrize(("server", "crash"), [(1002, True), (71, True), (0, True), (1001, False)])
def test_and_of_nothing_else(server: int, crash: bool) -> None:
    """Bound to the epoch that refuses it, to a history that lives on, to nobody; or nothing died."""
    run = refused(Run(), server, crash)
    assert (
        unexplained(run, semantics="at-most-once-incarnation")
        == "it was refused, and what it was bound to had not ended"
    )


def test_what_is_unexplained_is_unmet_though_the_others_are_as_expected() -> None:
    judgement = judge(cell(expect=Expect(others=OK_ONCE)), late(Run(), 20).history())
    assert {found.name for found in judgement.expectations if found.verdict is Met.UNMET} == {"explained"}
    assert explained(judgement)[1] == (
        f"operation 1 of client {CLIENT}: attempt 2 was begun 20 ms after attempt 1, which was to wait 60 ms, and "
        "nothing explains it"
    )


def test_an_info_of_nobodys_making_is_seen_by_the_others_too() -> None:
    run = sent(Run().invoke(1)).receive(1).info(1, "gave up").healed(2)
    judgement = judge(cell("maybe", expect=Expect(others=OK_ONCE)), run.history())
    assert {found.name for found in judgement.expectations if found.verdict is Met.UNMET} >= {"explained", "others"}


def test_older_journals_do_not_tell_waits_and_are_judged_without() -> None:
    run = Run().invoke(1).send(1).run(1).send(1, 2).reply(1, 1, 1).ok(1, 1).receive(1, 2).answer(1, 2, 1, Status.CACHED)
    judgement = judge(cell(), run.healed(2).history())
    assert (judgement.late, explained(judgement)) == (1, (Met.MET, ""))
    assert any(said.startswith("waits not checked") for said in judgement.unchecked)


@pytest.mark.parametrize(("milliseconds", "said"), [(60, ""), (30, "which was to wait 60 ms")])
def test_who_has_waited_closes_the_connection_for_others_too(milliseconds: int, said: str) -> None:
    """The second call waits from 30 ms before the end of the first one's wait; or that has not passed either."""
    run = sent(Run().invoke(1)) if said else Run().invoke(1)
    run.invoke(2).send(2, wait=60_000_000)
    run.wait(milliseconds // 2)
    if not said:
        sent(run)
    run.wait(milliseconds - milliseconds // 2)
    run.end(2, error="timeout").end(1, error="timeout")
    run.info(1, "the connection ended").info(2).healed(3)
    assert said in unexplained(run)
    assert bool(said) == bool(unexplained(run))


# To the nanosecond

WAIT = 60 * MILLISECOND


def at(run: Run, time: int) -> Run:
    """The next record has this time."""
    run.time = time - STEP
    return run


@pytest.mark.parametrize(("early", "said"), [(0, ""), (1, "attempt 2 was begun 59 ms after attempt 1, which was to")])
def test_a_wait_may_be_short_of_noise_and_no_more(early: int, said: str) -> None:
    run = sent(Run().invoke(1))
    began = run.time - STEP
    run.run(1)
    sent(at(run, began + WAIT - NOISE - early), 2).reply(1, 1, 1).ok(1, 1)
    assert unexplained(run.healed(2)).startswith(said)
    assert bool(unexplained(run)) == bool(said)


@pytest.mark.parametrize(("early", "said"), [(0, ""), (1, "attempt 2 was begun although a reply had come in time")])
def test_a_reply_has_come_in_time_until_then(early: int, said: str) -> None:
    run = sent(Run().invoke(1)).run(1)
    began = run.journals["client", 1][-2].time
    at(run, began + WAIT - NOISE - early).reply(1, 1, 1)
    sent(at(run, began + 2 * WAIT), 2).ok(1, 1)
    assert unexplained(run.healed(2)) == said


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.REFUSED])
def test_any_reply_but_busy_ends_a_call(status: Status) -> None:
    run = sent(Run().invoke(1)).receive(1).answer(1, 1, None, status).reply(1, 1, None, status).wait(60)
    sent(run, 2).run(1, 2).reply(1, 2, 1).ok(1, 1)
    waited_out = "although a reply had come in time" not in unexplained(run.healed(2))
    assert waited_out is (status is Status.BUSY)


@pytest.mark.parametrize(("early", "explained"), [(0, True), (1, False)])
def test_another_call_has_waited_until_then(early: int, explained: bool) -> None:
    """The other one's attempt is the first thing of all; both wait on connection 1."""
    run = Run().invoke(2).send(2, wait=WAIT)
    began = run.journals["client", 1][-2].time
    run.invoke(1).wait(30).send(1, wait=WAIT)
    at(run, began + WAIT - NOISE - early).end(2, error="timeout").end(1, error="timeout")
    run.info(1, "the connection ended").info(2)
    assert (unexplained(run.healed(3)) == "") is explained


# What explains it


def failed(run: Run, **options: Any) -> str:
    """The connection of a call's first attempt fails."""
    sent(sent(run.invoke(1)).end(1).wait(60), 2, 2).run(1, 2).reply(1, 2, 1).ok(1, 1)
    return unexplained(run.healed(2), **options)


FAILED = "the connection of attempt 1 failed (end of file)"


@pytest.mark.parametrize(
    ("fault", "explained"),
    [
        (Partition(partition="both", link="client -> server", after=1), True),
        (Split(split="groups", groups=(("client",), ("server",))), True),
        (Split(split="groups", groups=(("server",), ("client",))), True),
        (Split(split="groups", groups=(("client",), ("other",))), False),
    ],
)
def test_a_window_that_was_over_explains_what_its_link_suffers(fault: Fault, explained: bool) -> None:
    assert failed(Run().rule(True).rule(False), faults=(fault,), via="direct") == ("" if explained else FAILED)


def test_a_window_that_came_later_explains_nothing_and_of_several_it_is_the_first() -> None:
    fault = Partition(partition="both", link="client -> server", after=1)
    run = Run().invoke(1)
    sent(run).end(1).info(1, "the connection ended").rule(True).rule(False)
    assert unexplained(run.healed(2), faults=(fault,), via="direct") == FAILED
    run = Run().rule(True).rule(False).invoke(1)
    sent(run).end(1).info(1, "the connection ended").rule(True).rule(False)
    assert unexplained(run.healed(2), faults=(fault,), via="direct") == ""


@pytest.mark.parametrize("kind", [Kind.BOUND, Kind.UNIDENTIFIED, Kind.DECISION])
def test_what_a_plane_did_to_messages_of_nobody_may_have_been_to_its_connection(kind: Kind) -> None:
    here = Run().note("relay", 1, kind, link="client -> server", direction="request", act="drop", rule=None)
    assert failed(here) == ""
    elsewhere = Run().note("relay", 1, kind, link="client -> other", direction="request", act="drop", rule=None)
    assert failed(elsewhere) == FAILED
    passed = Run().note("relay", 1, kind, link="client -> server", direction="request", act="pass", rule=None)
    assert failed(passed) == FAILED


def test_another_client_has_connections_of_its_own() -> None:
    run = Run().invoke(3, CLIENT + 100).send(3, client=CLIENT + 100)
    run.decide("request", 3, act="cut", rule=0, client=CLIENT + 100).info(3, client=CLIENT + 100)
    assert failed(run, clients=2) == FAILED


def test_a_server_that_was_dead_before_explains_it() -> None:
    run = Run().call(5).act("kill").reap().upstream(False).serve().upstream(True)
    assert failed(run) == ""


def test_an_info_without_an_attempt_is_of_nobodys_making() -> None:
    assert unexplained(Run().invoke(1).info(1).healed(2)) == "it ended info before it was tried"


def test_the_cap_of_settling_ends_calls_too() -> None:
    for capped, error, said in (
        (True, "no reply when settling ended", ""),
        (True, "no reply", "it ended info (no reply) 0 ms after attempt 1, which was to wait 60 ms"),
        (False, "no reply when settling ended", "it ended info (no reply when settling ended) 0 ms after attempt 1"),
    ):
        run = sent(Run().invoke(1)).receive(1).phase("settle-capped" if capped else "settle").info(1, error)
        assert unexplained(run).startswith(said)
        assert bool(unexplained(run)) == bool(said)


def test_whose_attempt_could_not_connect_in_time_has_waited() -> None:
    for error, said in (("TimeoutError", ""), ("ConnectionRefusedError", "the connection of attempt 1 failed (C")):
        run = Run().invoke(1).note("client", 1, Kind.ATTEMPT, CLIENT, 1, 1, wait=WAIT)
        run.note("client", 1, Kind.UNCONNECTED, CLIENT, 1, 1, error=error).wait(60)
        sent(run, 2).run(1, 2).reply(1, 2, 1).ok(1, 1)
        assert unexplained(run.healed(2)).startswith(said)
        assert bool(unexplained(run)) == bool(said)
