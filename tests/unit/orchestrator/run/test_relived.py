"""A replayed cell's faults on processes wait for recorded triggers, and for no time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from history_builder import cell

from chaos.faults.messages import Drop
from chaos.faults.processes import Kill, Pause, ProcessFault, Restart
from orchestrator.run.relived import relived
from orchestrator.run.specs import failpoints, plane_spec, reports
from orchestrator.scenario.log import Log, Passage, Strike, moment

DROP = Drop(drop="request", link="client -> server", when="client ok 1", after=10)
KILL = Kill(kill="server", after=100, restart=Restart(after=50, when="client ok 2", state="archive"))
NTH = Kill(kill="server", at="received", nth=4)
PAUSE = Pause(pause="server", when="client gate 3", after=20, lasts=200)
BESIDE = Pause(pause="server", at="received", operation=2, restart=Restart(after=50))
WHEN = moment("client", "attempt", 10101, 3, 2)


def strike(**fields: object) -> Strike:
    return Strike.model_validate({"fault": 0, "node": "server", "epoch": 1, **fields})


@pytest.mark.parametrize(
    ("fault", "struck", "expected"),
    [
        (
            KILL,
            strike(when=WHEN),
            replace(KILL, after=None, when=WHEN, restart=Restart(when="healed", state="archive")),
        ),
        (KILL, strike(restart=WHEN), replace(KILL, after=0, restart=Restart(when=WHEN, state="archive"))),
        (KILL, strike(restart=""), replace(KILL, after=0, restart=Restart(state="archive"))),
        (
            NTH,
            strike(passage=(10201, 7, 3)),
            replace(NTH, nth=None, operation=7, client=2, attempt=3),
        ),
        (PAUSE, strike(when=WHEN), replace(PAUSE, after=None, when=WHEN, lasts=None)),
        (PAUSE, strike(when="client gate 3", ends=WHEN), replace(PAUSE, after=None)),
        (PAUSE, strike(when="client gate 3", ends=""), replace(PAUSE, after=None)),
        (BESIDE, strike(passage=(10101, 2, 1)), replace(BESIDE, restart=Restart(when="healed"))),
    ],
)
def test_a_fault_strikes_ends_and_restarts_when_it_did(
    fault: ProcessFault, struck: Strike, expected: ProcessFault
) -> None:
    made = cell(faults=(fault,)).model_copy(update={"log": Log(run="", strikes=(struck,))})
    assert relived(made).faults == (expected,)


def test_what_never_struck_does_not_strike_and_other_faults_stay() -> None:
    made = cell(faults=(DROP, KILL, NTH)).model_copy(update={"log": Log(run="")})
    faults = relived(made).faults
    assert faults[0] == DROP
    assert [(fault.when, fault.after, fault.on_process and fault.on_process.at) for fault in faults[1:]] == [
        ("healed", None, None)
    ] * 2
    assert failpoints(relived(made), "server", 1) == []
    assert relived(cell(faults=(KILL,))).faults == (KILL,)


def test_a_client_tells_of_the_moments_that_are_waited_for() -> None:
    strikes = (
        strike(when=WHEN, ends=moment("client", "end", 10101, 4), restart=moment("client", "invoke", 10201, 5)),
        strike(when=moment("other", "invoke", 20101, 6), restart=""),
    )
    made = cell(faults=(PAUSE,)).model_copy(update={"log": Log(run="", strikes=strikes)})
    assert reports(made, "client") == {("attempt", 3), ("end", 4), ("invoke", 5)}
    assert reports(cell(faults=(PAUSE,)), "client") == set()


def test_a_plane_is_told_the_log_of_its_link() -> None:
    made = cell(faults=(DROP,))
    assert "log" not in plane_spec(made, "relay", {"client -> server": ("h", 1)})["links"][0]
    entry = {"message": "client -> server request 10101 1 1 1", "rule": 0, "act": "drop"}
    other = {**entry, "message": "a -> b request 10101 1 1 1"}
    log = Log.model_validate({"run": "", "decisions": [entry, other]})
    told = plane_spec(made.model_copy(update={"log": log}), "relay", {"client -> server": ("h", 1)})
    assert told["links"][0]["log"] == [entry]
    assert told["links"][0]["rules"]


def test_a_passage_is_an_attempt_of_an_operation() -> None:
    assert strike(passage=[10101, 2, 1]).passage == Passage(10101, 2, 1)


def test_a_log_is_as_long_as_what_it_has_of_messages_and_processes() -> None:
    dropped = {"message": "client -> server request 10101 1 1 1", "rule": 0, "act": "drop"}
    made = Log.model_validate({"run": "", "decisions": [dropped, dropped], "strikes": [strike().model_dump()]})
    assert len(made) == 3
