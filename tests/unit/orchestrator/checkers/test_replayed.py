"""How far a replay came: what was done again, what never came and why, what the log does not know."""

from __future__ import annotations

from history_builder import CLIENT, Run, cell

from chaos.decisions import Drop
from chaos.faults.fault import Fault
from chaos.faults.messages import Drop as DropFault
from chaos.faults.packets import Loss
from chaos.faults.processes import Kill, Pause, Restart
from chaos.faults.streams import Down
from chaos.identity import Key
from chaos.recorded import Entry
from nodes.wire.record import Kind
from orchestrator.checkers.expect import judge
from orchestrator.checkers.replayed import came, replayed
from orchestrator.checkers.setting import Setting
from orchestrator.checkers.verdict import Met, Replayed
from orchestrator.history.index import Index
from orchestrator.history.recorded import endings
from orchestrator.report.replayed import replayed_lines
from orchestrator.report.result import CellResult
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.log import Ending, Log, Passage, Strike

LINK = "client -> server"
DROP = DropFault(drop="request", link=LINK)
KILL = Kill(kill="server", at="received", operation=1, restart=Restart())
PAUSE = Pause(pause="server", after=50, lasts=100)


def key(seq: int, attempt: int = 1, occurrence: int = 1) -> Key:
    return Key(LINK, "request", CLIENT, seq, attempt, occurrence)


def made(log: Log, *faults: Fault) -> Cell:
    return cell(faults=faults).model_copy(update={"log": log})


def of(run: Run, log: Log, *faults: Fault) -> Replayed:
    found, crash = replayed(Setting(made(log, *faults), Index(run.history())))
    assert crash == ""
    assert found is not None
    return found


def dropping(*keys: Key) -> Log:
    return Log(run="there", decisions=tuple(Entry(one, 0, Drop()) for one in keys))


def test_messages_are_compared_one_by_one() -> None:
    run = Run().phase("load").decide("request", 1, act="drop", rule=0).decide("request", 2).decide("request", 3, 2)
    run.decide("request", 4, act="lost").phase("heal").decide("request", 5)
    found = of(run, dropping(*map(key, range(1, 7)), key(1, 1, 2)), DROP)
    assert (found.applied, found.unknown, found.windows) == (1, 1, ())
    of_client = f"of client {CLIENT} on client -> server"
    copy = f"drop the request of attempt 1 of operation 1 of client {CLIENT}, copy 2 on client -> server"
    assert found.absent == (
        f"drop the request of attempt 1 of operation 2 {of_client}: its message came, and was passed",
        f"drop the request of attempt 1 of operation 3 {of_client}: its message never came",
        f"drop the request of attempt 1 of operation 4 {of_client}: its message came, and was lost",
        f"drop the request of attempt 1 of operation 5 {of_client}: its message came after heal",
        f"drop the request of attempt 1 of operation 6 {of_client}: its message never came",
        f"{copy}: its message never came",
    )
    (verdict,) = came(found, "")
    assert verdict.verdict is Met.INCONCLUSIVE
    assert verdict.reason == f"6 of 7 entries of the log never came: {'; '.join(found.absent[:3])}; and 3 more"


def test_messages_that_passed_in_the_record_are_known_and_those_without_identity_are_no_matter() -> None:
    run = Run().phase("load").decide("request", 1).decide("request", 2).decide("reply", 2)
    run.note("relay", 1, Kind.DECISION, link=LINK, direction="request", occurrence=1, replayable=False, act="pass")
    assert of(run, Log(run="", passed=(key(1),))) == Replayed(0, 2)


def test_what_ended_otherwise_than_in_the_record_is_told_operation_by_operation() -> None:
    run = Run().phase("load").call(1).invoke(2).send(2).info(2).call(3)
    recorded = tuple(endings(run.history()))
    assert recorded == (Ending(CLIENT, 1, "ok", 1), Ending(CLIENT, 2, "info", 0), Ending(CLIENT, 3, "ok", 1))
    assert of(run, Log(run="", endings=recorded)).differing == ()
    first, second, _ = recorded
    log = Log(run="", endings=(first, second._replace(end="ok", executions=2), Ending(CLIENT, 4, "fail", 0)))
    found = of(run, log)
    assert found.differing == (
        f"operation 2 of client {CLIENT}: info with 0 executions, recorded was ok with 2 executions",
        f"operation 3 of client {CLIENT}: ok with 1 executions, recorded was nothing",
        f"operation 4 of client {CLIENT}: nothing, recorded was fail with 0 executions",
    )
    (verdict,) = came(found, "")
    assert verdict.verdict is Met.INCONCLUSIVE
    assert verdict.reason == f"3 operations ended otherwise than in the record: {'; '.join(found.differing)}"


def test_a_log_that_does_not_say_how_its_run_ended_is_not_compared_with_it_which_is_told() -> None:
    said = "endings not compared: the log does not say how the operations of its run ended"
    history = Run().phase("load").call(1).history()
    for endings_of_it, unchecked in (((), True), (tuple(endings(history)), False)):
        judgement = judge(made(Log(run="", endings=endings_of_it)), history)
        assert (said in judgement.unchecked) == unchecked
        assert judgement.replayed is not None
        assert judgement.replayed.differing == ()


def test_strikes_are_compared_part_by_part() -> None:
    whole = Strike(fault=0, node="server", epoch=1, passage=Passage(CLIENT, 1, 1), restart="")
    log = Log(
        run="", strikes=(whole, Strike(fault=1, node="server", epoch=1, when="client gate 1", ends="client ok 1"))
    )
    run = Run().phase("load")
    assert of(run, log, KILL, PAUSE).absent == (
        f"kill server: attempt 1 of operation 1 of client {CLIENT} did not pass the failpoint in epoch 1",
        "pause server: its trigger 'client gate 1' never came",
    )
    run.server(Kind.FAILPOINT, 1, 1, name="received", fault=0, act="die").act("pause", fault=1)
    assert of(run, log, KILL, PAUSE).absent == (
        "kill server: its restart never came",
        "pause server: its end 'client ok 1' never came",
    )
    run.note("orchestrator", 1, Kind.ACT, act="restart", node="server", epoch=2, fault=None).act("resume")
    assert of(run, log, KILL, PAUSE) == Replayed(2, 0)


def test_a_strike_in_vain_says_what_stood_in_its_way() -> None:
    log = Log(run="", strikes=(Strike(fault=0, node="server", epoch=1, when="client gate 1"),))
    act = {"act": "none", "node": "server", "epoch": 1, "fault": 0, "why": "it was dead already"}
    run = Run().phase("load").note("orchestrator", 1, Kind.ACT, **act)
    assert of(run, log, PAUSE).absent == ("pause server: when it came to that, it was dead already",)


def test_what_stood_in_another_faults_way_did_not_stand_in_its_own() -> None:
    log = Log(run="", strikes=(Strike(fault=0, node="server", epoch=1, when="client gate 1"),))
    act = {"act": "none", "node": "server", "epoch": 1, "fault": 1, "why": "it was dead already"}
    run = Run().phase("load").note("orchestrator", 1, Kind.ACT, **act)
    assert of(run, log, PAUSE, KILL).absent == ("pause server: its trigger 'client gate 1' never came",)


def test_faults_on_packets_have_no_messages() -> None:
    faults = (Loss(link=LINK, loss="both", every=3),)
    cells = cell(faults=faults, via="direct").model_copy(update={"log": Log(run="")})
    found, _ = replayed(Setting(cells, Index(Run().phase("load").history())))
    assert found == Replayed(0, 0, (), (0,))


def test_nor_have_faults_on_streams() -> None:
    faults = (Down(down=True, link=LINK), KILL)
    cells = cell(faults=faults, via="toxiproxy").model_copy(update={"log": Log(run="")})
    found, _ = replayed(Setting(cells, Index(Run().phase("load").history())))
    assert found == Replayed(0, 0, (), (0,))


def test_a_log_of_another_plan_is_not_compared_and_nothing_is_claimed() -> None:
    strange = Log(run="", strikes=(Strike(fault=7, node="server", epoch=1, when="client gate 1"),))
    found, crash = replayed(Setting(made(strange, KILL), Index(Run().phase("load").history())))
    assert found == Replayed(0, 0)
    assert crash.startswith("a checker crashed: IndexError")


def test_a_replay_that_came_whole_is_met_and_any_other_run_has_none() -> None:
    assert [one.verdict for one in came(Replayed(3, 9), "")] == [Met.MET]
    assert list(came(None, "")) == []
    (crashed,) = came(Replayed(0, 0), "a checker crashed")
    assert (crashed.verdict, crashed.reason) == (Met.INCONCLUSIVE, "a checker crashed")
    history = Run().phase("load").call(1).healed(2).history()
    assert judge(cell(), history).replayed is None
    judgement = judge(made(dropping(key(1)), DROP), history)
    assert judgement.expectations[0].name == "replay"
    assert judgement.replayed == Replayed(0, 4 - 1, judgement.replayed.absent if judgement.replayed else ())


def test_the_report_tells_all_together_and_what_never_came() -> None:
    judgement = judge(made(Log(run=""), DROP), Run().phase("load").call(1).healed(2).history())
    results = [
        CellResult(made(Log(run=""), DROP), 1, 0.0, judgement._replace(replayed=found))
        for found in (Replayed(3, 1, (), (0,)), Replayed(1, 0, ("x",)), Replayed(2, 0, (), (), ("y",)), None)
    ]
    assert list(replayed_lines(results)) == [
        "3 runs: 6 of 7 entries of the log applied, 1 never came; 1 messages passed that it does not know; "
        "1 operations ended otherwise",
        "test -: 1 of 2 entries of the log applied, 1 never came; 0 messages passed that it does not know",
        "test -: 2 of 2 entries of the log applied, 0 never came; 0 messages passed that it does not know; "
        "1 operations ended otherwise",
        "test: fault 1 (drop) is not replayable by message; it came as planned",
    ]
    assert list(replayed_lines(results[3:])) == []
