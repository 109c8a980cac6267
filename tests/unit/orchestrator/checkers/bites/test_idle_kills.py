"""Why a kill or a pause bit nothing, from histories in which it did not."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import Run, cell

from chaos.faults.fault import Fault
from chaos.faults.processes import Kill, Pause, Restart
from nodes.wire.record import Kind
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.idle import reason
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index


def why(run: Run, fault: Fault) -> str:
    setting = Setting(cell(faults=(fault,)), Index(run.healed(9).history()))
    (found,) = bite(setting).rules
    assert not found.bitten
    return reason(setting, found)


def kill(**fields: Any) -> Kill:
    return Kill(kill="server", **{"restart": Restart(), **fields})


def begun() -> Run:
    return Run().invoke(1).send(1).decide("request", 1).receive(1).execute(1)


def back(run: Run) -> Run:
    """The server is started again, and the operation repeated."""
    run.upstream(False).end(1).serve().upstream(True).send(1, 2, connection=2)
    return run.run(1, 2).reply(1, 2, 1).ok(1, 1)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"at": "before-commit", "operation": 1},
            "attempt 1 of operation 1 did not pass before-commit in epoch 1 of server before heal",
        ),
        (
            {"at": "before-commit", "operation": 1, "attempt": 2},
            "attempt 2 of operation 1 did not pass before-commit in epoch 1 of server before heal",
        ),
        ({"at": "before-commit", "operation": 5}, "operation 5 was not invoked before heal"),
        (
            {"at": "before-commit", "operation": 1, "client": 2},
            "operation 1 of client process 2 was not invoked before heal",
        ),
        ({"at": "before-commit", "operation": 1, "epoch": 3}, "server had no epoch 3"),
        ({"at": "before-commit", "nth": 7}, "epoch 1 of server did not pass before-commit 7 times before heal"),
        ({"when": "client gate 3"}, "its trigger 'client gate 3' did not come before heal"),
        (
            {"when": "client gate 3", "after": 20},
            "its trigger 'client gate 3' did not come before heal, or came less than 20 ms before",
        ),
        ({"after": 900}, "heal came before its time, 900 ms after the load began"),
    ],
)
def test_what_never_came(fields: dict[str, Any], told: str) -> None:
    assert why(Run().call(1), kill(**fields)) == told


def test_what_came_to_one_that_was_dead_already() -> None:
    vain = {"act": "none", "node": "server", "epoch": 1, "fault": 0, "why": "it was dead already"}
    run = Run().call(1).note("orchestrator", 1, Kind.ACT, **vain)
    assert why(run, kill(when="client ok 1")) == "when it came to server, it was dead already"


def test_nobody_saw_it_die() -> None:
    fired = begun().server(Kind.FAILPOINT, 1, name="before-commit").reap(15)
    assert why(back(fired), kill(at="before-commit", operation=1)) == "server (epoch 1) was not seen to die of it"
    shot = begun().act("kill", fault=0).reap(15)
    assert why(back(shot), kill(when="client gate 1")) == "server (epoch 1) was not seen to die of it"


def test_another_failpoint_fired_than_the_one_that_is_named() -> None:
    fired = begun().server(Kind.FAILPOINT, 1, name="after-commit").reap(9)
    told = "attempt 1 of operation 1 did not pass before-commit in epoch 1 of server before heal"
    assert why(back(fired), kill(at="before-commit", operation=1)) == told


def test_it_came_back_with_another_state_than_was_asked_for() -> None:
    fired = begun().server(Kind.FAILPOINT, 1, name="before-commit").reap(9)
    archived = kill(at="before-commit", operation=1, restart=Restart(state="archive"))
    assert why(back(fired), archived) == "server did not come back with the state that was asked for"


def test_no_operation_was_open_meanwhile() -> None:
    shot = Run().call(1).act("kill", fault=0).reap(9).upstream(False).serve().upstream(True)
    assert why(shot, kill(when="client ok 1")) == "no operation was open while server was dead"
    stopped = Run().call(1).act("pause", fault=0).act("resume")
    assert why(stopped, Pause(pause="server", when="client ok 1")) == "no operation was open while server was stopped"


def test_nobody_waited_for_it_to_go_on() -> None:
    stopped = Run().act("pause", fault=0).call(1).act("resume")
    told = "none of the 1 operations that were open waited for server to go on"
    assert why(stopped, Pause(pause="server", when="client gate 1")) == told
