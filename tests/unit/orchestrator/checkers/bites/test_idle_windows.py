"""Why a fault bit nothing, where a history that the simulator cannot make tells it."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run, cell
from stories import LINK

from chaos.faults.fault import Fault
from chaos.faults.messages import Drop
from chaos.faults.paths import Partition
from chaos.faults.processes import Kill, Restart
from chaos.faults.streams import Latency
from nodes.wire.record import Kind
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.idle import reason
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index
from orchestrator.report.story import story

CUT = Partition(link=LINK, partition="both", when="client gate 2")
SLOW = Latency(link=LINK, latency=100)


def why(run: Run, fault: Fault, via: str = "relay") -> str:
    setting = Setting(cell(faults=(fault,), via=via), Index(run.history()))
    (rule,) = bite(setting).rules
    assert not rule.bitten
    return reason(setting, rule)


def packets(run: Run, number: int) -> Run:
    return run.counter("request", number).counter("reply", number).rule(False).healed(9)


def test_a_plane_that_was_never_asked() -> None:
    said = why(Run().call(1).healed(9), CUT, "direct")
    assert said == "its trigger 'client gate 2' did not come before heal"


def test_operations_that_were_invoked_in_a_run_without_heal() -> None:
    said = why(Run().call(1), Drop(link=LINK, drop="reply", operations=(1, 5), attempt=2))
    assert said.endswith("while it was on; operation 5 was not invoked before heal")


def test_a_rule_of_a_relay_that_met_nothing_of_an_operation() -> None:
    hello = Run().decide("request", 0, act="drop", rule=0)
    assert why(hello.healed(9), Drop(link=LINK, drop="request")) == "it was applied to 1 messages, none of an operation"
    named = Drop(link=LINK, drop="request", operations=(1,), when="client gate 2")
    silent = Run().call(1).rule(True).rule(False).healed(9)
    assert why(silent, named) == f"nothing was sent on {LINK} (request) while it was on"


def test_what_was_sent_just_before_a_rule_was_off_was_sent_while_it_was_on() -> None:
    named = Drop(link=LINK, drop="request", operations=(1,), when="client gate 2")
    for sent in (
        Run().rule(True).wait(1).decide("request", 2).rule(False),
        Run().rule(True).decide("request", 2).wait(1).rule(False),
    ):
        said = why(sent.call(1).healed(9), named)
        assert said == f"it names none of the 1 messages that were sent on {LINK} (request) while it was on"


@pytest.mark.parametrize(("fault", "via"), [(CUT, "direct"), (SLOW, "toxiproxy")])
def test_an_empty_window(fault: Fault, via: str) -> None:
    assert why(packets(Run().call(1).rule(True), 0), fault, via) == "no operation was open while it was on"


def test_a_window_without_packets() -> None:
    run = packets(Run().rule(True).call(1), 0)
    assert why(run, CUT, "direct") == "the kernel counted no packet while it was on"


@pytest.mark.parametrize(("fault", "via"), [(CUT, "direct"), (SLOW, "toxiproxy")])
def test_a_window_that_nobody_felt(fault: Fault, via: str) -> None:
    said = why(packets(Run().rule(True).call(1), 7), fault, via)
    assert said == "1 operations were open while it was on, and none of them shows it"


def killed(signal: int, histories: tuple[int, ...] = (71, 71)) -> Run:
    run = Run(histories=histories).invoke(1).send(1).act("kill", fault=0).reap(signal).act("restart").serve()
    return run.send(1, 2).run(1, 2).reply(1, 2, 1).ok(1, 1).healed(2)


def test_a_process_that_ended_otherwise() -> None:
    fault = Kill(kill="server", when="client gate 1", restart=Restart())
    assert why(killed(15), fault) == "server (epoch 1) was not seen to die of it"
    archiving = Kill(kill="server", when="client gate 1", restart=Restart(state="archive"))
    assert why(killed(9), archiving) == "server did not come back with the state that was asked for"


def test_a_story_tells_what_came_in_vain() -> None:
    run = (
        Run().invoke(1).send(1).note("orchestrator", 1, Kind.ACT, act="none", node="server", why="it was dead already")
    )
    told = story(run.info(1).history(), (CLIENT, 1))
    assert told[3].endswith("orchestrator  does nothing to server: it was dead already")
